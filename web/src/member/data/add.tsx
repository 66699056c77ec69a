//! Adding: a file is looked at, its quality and what would raise it are shown, and then each record in it can be added.
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../ui/format";
import { Notice } from "../../ui/page";
import { add, type Step } from "../core/adding";
import type { Opened } from "../core/session";
import { Result } from "../check/result";
import type { Looked } from "../check/shape";
import { Choose, Failure, useCheck, Working } from "../check";
import { ActButton, useAct } from "../parts/act";

export function Add({ opened, changed }: { opened: Opened; changed: () => void }) {
  const { t } = useTranslation(["member-mine", "member"]);
  const { state, look, cancel } = useCheck();
  const [file, setFile] = useState<File>();
  const choose = (chosen: File) => {
    setFile(chosen);
    look(chosen);
  };
  return (
    <>
      <p>{t("member-mine:add.text")}</p>
      {state.at === "working" ? <Working {...state} cancel={cancel} /> : <Choose look={choose} isFirst={state.at !== "done"} />}
      {state.at === "cancelled" && <p role="status">{t("member:check.cancelled")}</p>}
      {state.at === "failed" && <Failure why={state.why} detail={state.detail} />}
      {state.at === "done" && file && (
        <>
          {state.checked.records.map((record, which) => (
            <One key={`${record.name} ${which}`} opened={opened} file={file} record={record} which={which} of={state.checked.records_in_all} changed={changed} />
          ))}
          <Result checked={state.checked} name={state.name} />
        </>
      )}
    </>
  );
}

function One(props: { opened: Opened; file: File; record: Looked; which: number; of: number; changed: () => void }) {
  const { opened, file, record, which, of, changed } = props;
  const { t } = useTranslation("member-mine");
  const { percent, points } = useFormat();
  const adding = useAct<[], Step>(async (tell) => {
    await add(opened, of > 1 ? `${file.name} (${which + 1})` : file.name, { file, which }, tell);
    changed();
  });
  const name = of > 1 ? t("add.record", { at: which + 1, of }) : file.name;
  if (adding.state.at === "done") {
    return (
      <Notice title={t("add.done", { name })} tone="good">
        <p role="status">{t("add.doneText")}</p>
      </Notice>
    );
  }
  return (
    <Notice title={t("add.ready", { name, points: points(record.quality) })}>
      <p>{t(record.gated ? "add.gated" : "add.what")}</p>
      {!record.gated && (
        <ActButton
          act={adding}
          given={[]}
          label={t("add.add")}
          working={(step, part) => (step ? t(`add.${step}`, { part: percent(Math.floor(part * 1_000)) }) : t("add.sealing"))}
          kept={t("add.kept")}
        />
      )}
    </Notice>
  );
}
