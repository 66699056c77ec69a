//! Look at a record before sending anything: choose a file, see its score and what would raise it. No byte of it leaves the browser,
//! so this page asks nothing of the API.
import { Link } from "@tanstack/react-router";
import { type DragEvent, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../ui/format";
import { More, Notice, PageHead, Section } from "../ui/page";
import { type Fault, MOST } from "./check/messages";
import { Result } from "./check/result";
import { checkFile } from "./check/run";
import type { Checked } from "./check/shape";

type State =
  | { at: "start" | "cancelled" }
  | { at: "working"; name: string; part: number; isScoring: boolean }
  | { at: "done"; name: string; checked: Checked }
  | { at: "failed"; why: Fault; detail: string };

export default function Check() {
  const { t } = useTranslation("member");
  const { state, look, cancel } = useCheck();
  const isStart = state.at === "start";
  return (
    <>
      <PageHead title={t("check.title")} lead={t("check.lead")} />
      <Notice title={t("check.private")} tone="good">
        <p>{t("check.privateText")}</p>
      </Notice>
      {state.at === "working" ? <Working {...state} cancel={cancel} /> : <Choose look={look} isFirst={isStart || state.at === "cancelled"} />}
      {state.at === "cancelled" && <p role="status">{t("check.cancelled")}</p>}
      {state.at === "failed" && <Failure why={state.why} detail={state.detail} />}
      {state.at === "done" && <Result checked={state.checked} name={state.name} />}
      {isStart && (
        <More title={t("check.where")}>
          <p>{t("check.whereText")}</p>
        </More>
      )}
      {state.at === "done" && state.checked.records.length > 0 && (
        <Section title={t("check.next")}>
          <p>{t("check.nextText")}</p>
          <p>
            <Link to="/data">{t("check.nextLink")}</Link>
          </p>
        </Section>
      )}
    </>
  );
}

/** One file at a time: another one, or leaving the page, ends the worker that is under way. */
export function useCheck() {
  const [state, setState] = useState<State>({ at: "start" });
  const stop = useRef<() => void>(undefined);
  useEffect(() => () => stop.current?.(), []);
  const look = (file: File) => {
    stop.current?.();
    const { name } = file;
    setState({ at: "working", name, part: 0, isScoring: false });
    stop.current = checkFile(file, {
      read: (part) => setState({ at: "working", name, part, isScoring: false }),
      scoring: () => setState({ at: "working", name, part: 1, isScoring: true }),
      done: (checked) => setState({ at: "done", name, checked }),
      failed: (why, detail) => setState({ at: "failed", why, detail }),
    });
  };
  const cancel = () => {
    stop.current?.();
    setState({ at: "cancelled" });
  };
  return { state, look, cancel };
}

export function Choose({ look, isFirst }: { look: (file: File) => void; isFirst: boolean }) {
  const { t } = useTranslation("member");
  const { bytes } = useFormat();
  const input = useRef<HTMLInputElement>(null);
  const [isOver, setOver] = useState(false);
  const dropped = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const [file] = event.dataTransfer.files;
    if (file) look(file);
  };
  const over = (event: DragEvent) => {
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    setOver(true);
  };
  const chosen = (files: FileList | null) => {
    if (files?.[0]) look(files[0]);
    // The same file, mended, can be chosen again.
    if (input.current) input.current.value = "";
  };
  return (
    <div className="drop" data-drop-target={isOver || undefined} onDragOver={over} onDragLeave={() => setOver(false)} onDrop={dropped}>
      <input ref={input} type="file" hidden onChange={(event) => chosen(event.target.files)} />
      <button type="button" className="button" onClick={() => input.current?.click()}>
        {t(isFirst ? "check.choose" : "check.another")}
      </button>{" "}
      <span className="drop-or">{t("check.drop")}</span>
      <p className="small">{t("check.takes", { most: bytes(MOST) })}</p>
    </div>
  );
}

export function Working({ name, part, isScoring, cancel }: { name: string; part: number; isScoring: boolean; cancel: () => void }) {
  const { t } = useTranslation("member");
  const { percent } = useFormat();
  const frame = useRef<HTMLHeadingElement>(null);
  // The button that was pressed is gone: whoever reads by keyboard goes on here.
  useEffect(() => frame.current?.focus(), []);
  return (
    <section className="drop">
      <h2 ref={frame} tabIndex={-1}>
        {t("check.working", { name })}
      </h2>
      <div className="bar" role="progressbar" aria-label={t("check.progress")} {...(!isScoring && { "aria-valuenow": Math.floor(part * 100) })}>
        <i style={{ width: `${part * 100}%` }} />
      </div>
      <p role="status">{isScoring ? t("check.scoring") : t("check.reading", { part: percent(Math.floor(part * 100) * 10) })}</p>
      <button type="button" className="button quiet" onClick={cancel}>
        {t("check.cancel")}
      </button>
    </section>
  );
}

export function Failure({ why, detail }: { why: Fault; detail: string }) {
  const { t } = useTranslation(["member", "common"]);
  const { bytes } = useFormat();
  return (
    <div role="alert">
      <Notice title={t(`check.failed.${why}.title`)} tone="bad">
        <p>{t("check.failed.lost")}</p>
        <p>{t(`check.failed.${why}.do`, { most: bytes(MOST) })}</p>
        {detail && (
          <More title={t("common:failed.details")}>
            <p lang="en">{detail}</p>
          </More>
        )}
      </Notice>
    </div>
  );
}
