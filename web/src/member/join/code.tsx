//! Step 2: the recovery code is printed or saved, and typed back in part.
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { Notice } from "../../ui/page";
import { type Draft, keepDraft } from "../core/joining";
import { StepHead } from "../join";
import { Field } from "../../ui/form";
import { saveText } from "../parts/save";

/** `XXXXX-XXXXX-XXXXX-XXXXX-XXXXXX`. */
export const groups = (code: string): string[] => [0, 1, 2, 3, 4].map((at) => code.replace(/[^0-9A-Z]/gi, "").slice(at * 5, at === 4 ? 26 : at * 5 + 5));

/** What people mix up when they copy by hand means the same. */
export const forgiving = (text: string): string => text.toUpperCase().replace(/[^0-9A-Z]/g, "").replaceAll("O", "0").replace(/[IL]/g, "1");

export function CodeStep({ draft, keep }: { draft: Draft; keep: (draft: Draft) => void }) {
  const { t } = useTranslation("member-join");
  return (
    <>
      <StepHead step={2} title={t("code.title")} lead={t("code.lead")} />
      <KeepCode code={draft.drawn?.recovery_code ?? ""} kept={() => keep(keepDraft({ ...draft, isSaved: true }))} />
    </>
  );
}

/** The code, to be printed or saved; `kept` when its end was typed back. */
export function KeepCode({ code, kept }: { code: string; kept: () => void }) {
  const { t } = useTranslation("member-join");
  const [typed, setTyped] = useState("");
  const [isWrong, setWrong] = useState(false);
  const parts = groups(code);
  const go = (event: FormEvent) => {
    event.preventDefault();
    if (forgiving(typed) === parts[4]) kept();
    else setWrong(true);
  };
  const save = () => saveText(t("code.file"), `${t("code.fileText", { code: parts.join("-"), place: window.location.origin })}\n`);
  return (
    <>
      <div className="code-card">
        <p className="small">{t("code.yours")}</p>
        <p className="code-shown" data-code={parts.join("-")}>
          {parts.map((part, at) => (
            <span key={at}>{part}</span>
          ))}
        </p>
        <p className="small">{t("code.card", { place: window.location.origin })}</p>
      </div>
      <p className="row no-print">
        <button type="button" className="button" onClick={() => window.print()}>
          {t("code.print")}
        </button>{" "}
        <button type="button" className="button quiet" onClick={save}>
          {t("code.save")}
        </button>
      </p>
      <Notice title={t("code.keep")}>
        <p>{t("code.keepText")}</p>
      </Notice>
      <form onSubmit={go} className="no-print">
        <Field label={t("code.back")} hint={t("code.backHint")} wrong={isWrong ? t("code.backWrong") : undefined} value={typed} change={setTyped} isCode width={10} />
        <p>
          <button type="submit" className="button">
            {t("code.go")}
          </button>
        </p>
      </form>
    </>
  );
}
