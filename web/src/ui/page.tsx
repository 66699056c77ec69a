//! The parts that pages are built of.
import { type ReactNode, useId } from "react";
import { useTranslation } from "react-i18next";

/** Title, heading and first sentence. The heading takes the focus when the page is gone to. */
export function PageHead({ title, lead, lang, back, children }: { title: string; lead?: string; lang?: string | undefined; back?: ReactNode; children?: ReactNode }) {
  const { t } = useTranslation();
  return (
    <div className="page-head">
      <title>{`${title} – ${t("name")}`}</title>
      {back && <p className="back">{back}</p>}
      <h1 tabIndex={-1} lang={lang}>
        {title}
      </h1>
      {lead && <p className="lead">{lead}</p>}
      {children}
    </div>
  );
}

export function Section({ title, children }: { title: string; children: ReactNode }) {
  const id = useId();
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  );
}

/** Terms and what they are. */
export function Facts({ of }: { of: [term: string, value: ReactNode][] }) {
  return (
    <dl className="facts">
      {of.map(([term, value]) => (
        <div key={term}>
          <dt>{term}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Large numbers with what they count. */
export function Figures({ of }: { of: [value: string, counts: string][] }) {
  return (
    <ul className="figures">
      {of.map(([value, counts]) => (
        <li key={counts}>
          <strong>{value}</strong> <span>{counts}</span>
        </li>
      ))}
    </ul>
  );
}

/** Something to know before going on. `tone` is told by words too, never by colour alone. */
export function Notice({ title, tone = "note", children }: { title: string; tone?: "note" | "good" | "bad"; children?: ReactNode }) {
  return (
    <div className="notice" data-tone={tone}>
      <p className="notice-title">{title}</p>
      {children}
    </div>
  );
}

/** Nothing is here yet: says why, and what comes next. */
export function Empty({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      {children}
    </div>
  );
}

/** A hash or an address, in full: it breaks where it has to. */
export const Code = ({ children }: { children: string }) => <code className="code">{children}</code>;

/** More for those who want it. */
export function More({ title, children }: { title: string; children: ReactNode }) {
  return (
    <details className="more">
      <summary>{title}</summary>
      {children}
    </details>
  );
}
