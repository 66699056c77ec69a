//! Another recovery code: drawn, kept by the member, and then put in the place of the old one.
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Notice } from "../../ui/page";
import { drawCode, type Drawn, drawn, replaceCode } from "../core/replacing";
import type { Opened } from "../core/session";
import { KeepCode } from "../join/code";
import { ActButton, useAct } from "./act";

export function Replace({ opened }: { opened: Opened }) {
  const { t } = useTranslation("member-mine");
  const [made, setMade] = useState<Drawn | undefined>(() => drawn.read());
  const [isKept, setKept] = useState(made?.isSet ?? false);
  const [isDone, setDone] = useState(false);
  const drawing = useAct(async () => setMade(await drawCode(opened)));
  const replacing = useAct(async () => {
    if (made) await replaceCode(opened, made);
    setDone(true);
  });
  if (isDone) {
    return (
      <div role="status">
        <Notice title={t("replace.done")} tone="good">
          <p>{t("replace.doneText")}</p>
        </Notice>
      </div>
    );
  }
  const isMine = made?.account === opened.things.account;
  return (
    <>
      <p>{t("replace.text")}</p>
      {!isMine && <ActButton act={drawing} given={[]} label={t("replace.draw")} working={() => t("working.looking")} kept={t("kept.asBefore")} quiet />}
      {isMine && !isKept && <KeepCode code={made.recovery_code} kept={() => setKept(true)} />}
      {isMine && isKept && (
        <>
          <div className="words">
            <p>{t("replace.words")}</p>
          </div>
          <ActButton act={replacing} given={[]} label={t("replace.do")} working={() => t("working.passkey")} kept={t("replace.kept")} />
        </>
      )}
    </>
  );
}
