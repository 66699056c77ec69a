//! The same question for a terminal, Python and R, to be copied.
import { useTranslation } from "react-i18next";
import { More } from "../ui/page";
import { type Asked, python, r, shell } from "./snippets";

export function Snippets({ asked }: { asked: Asked }) {
  const { t } = useTranslation("researcher-ask");
  return (
    <More title={t("snippets.title")}>
      <div>
        <p>{t("snippets.text")}</p>
        {Object.entries({ shell: shell(asked), python: python(asked), r: r(asked) }).map(([kind, text]) => (
          <figure key={kind} className="snippet">
            <figcaption>{t(`snippets.${kind as "shell"}`)}</figcaption>
            <pre tabIndex={0} role="region" aria-label={t(`snippets.${kind as "shell"}`)} lang="en">
              <code>{text}</code>
            </pre>
          </figure>
        ))}
      </div>
    </More>
  );
}
