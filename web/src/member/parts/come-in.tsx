//! The way in: the passkey, or the recovery code.
import { Link } from "@tanstack/react-router";
import { type FormEvent, type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { More, Section } from "../../ui/page";
import { comeIn, comeInByCode, NoDoor, read, whoIsKnown } from "../core/coming";
import { type Opened, useOpened } from "../core/session";
import { ActButton, ActFailed, useAct } from "./act";
import { Field } from "../../ui/form";

export function ComeIn() {
  const { t } = useTranslation("member-mine");
  const [who] = useState(whoIsKnown);
  const byPasskey = useAct(() => comeIn(who));
  const { state } = byPasskey;
  const isCodeNeeded = who?.opens === false || (state.at === "failed" && state.error instanceof NoDoor);
  return (
    <>
      <Section title={t("comeIn.passkey")}>
        <p>{t(who ? "comeIn.known" : "comeIn.new")}</p>
        <ActButton act={byPasskey} given={[]} label={t("comeIn.open")} working={() => t("working.passkey")} kept={t("kept.nothing")} />
      </Section>
      {isCodeNeeded ? (
        <Section title={t("comeIn.code")}>
          <ByCode />
        </Section>
      ) : (
        <More title={t("comeIn.code")}>
          <ByCode />
        </More>
      )}
      {who?.member_id != null && (
        <More title={t("comeIn.stop")}>
          <p>{t("comeIn.stopText")}</p>
          <p>
            <Link to="/sharing/stop">{t("comeIn.stopLink")}</Link>
          </p>
        </More>
      )}
      {!who && (
        <More title={t("comeIn.nobody")}>
          <p>{t("comeIn.nobodyText")}</p>
          <p>
            <Link to="/join">{t("comeIn.join")}</Link>
          </p>
        </More>
      )}
    </>
  );
}

export function ByCode() {
  const { t } = useTranslation("member-mine");
  const [code, setCode] = useState("");
  const byCode = useAct(() => comeInByCode(code));
  const { state } = byCode;
  const go = (event: FormEvent) => {
    event.preventDefault();
    byCode.act();
  };
  return (
    <form onSubmit={go}>
      <p>{t("comeIn.codeText")}</p>
      <Field label={t("comeIn.codeLabel")} hint={t("comeIn.codeHint")} value={code} change={setCode} isCode />
      <p>
        <button type="submit" className="button quiet" aria-disabled={state.at === "working"}>
          {t("comeIn.openByCode")}
        </button>
      </p>
      <div role="status">{state.at === "working" && <p className="working">{t("working.looking")}</p>}</div>
      {state.at === "failed" && <ActFailed error={state.error} kept={t("kept.nothing")} />}
    </form>
  );
}

/** For what is read at the stewards: one prompt for half a day. */
export function Reading({ opened, children }: { opened: Opened; children: (session: NonNullable<Opened["session"]>) => ReactNode }) {
  const { t } = useTranslation("member-mine");
  const reading = useAct(() => read(opened));
  const shown = useOpened()?.session;
  if (shown && shown.ends > Date.now()) return children(shown);
  return (
    <div className="empty">
      <p className="empty-title">{t("reading.title")}</p>
      <p>{t("reading.text")}</p>
      <ActButton act={reading} given={[]} label={t("comeIn.open")} working={() => t("working.passkey")} kept={t("kept.nothing")} />
      <p>
        <Link to="/help">{t("reading.help")}</Link>
      </p>
    </div>
  );
}
