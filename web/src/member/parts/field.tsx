//! One line to type into, with its label, what it wants, and what is wrong with it.
import { useId } from "react";

export function Field(props: { label: string; hint?: string; wrong?: string | undefined; value: string; change: (value: string) => void; isCode?: boolean; width?: number }) {
  const { label, hint, wrong, value, change, isCode, width } = props;
  const id = useId();
  const notes = [hint && `${id}-hint`, wrong && `${id}-wrong`].filter(Boolean).join(" ");
  return (
    <div className="field" data-wrong={wrong ? true : undefined}>
      <label htmlFor={id}>{label}</label>
      {hint && (
        <p id={`${id}-hint`} className="small">
          {hint}
        </p>
      )}
      {wrong && (
        <p id={`${id}-wrong`} className="wrong" role="alert">
          {wrong}
        </p>
      )}
      <input
        id={id}
        type="text"
        className={isCode ? "code-input" : undefined}
        autoComplete="off"
        autoCapitalize={isCode ? "characters" : "off"}
        spellCheck={false}
        aria-describedby={notes || undefined}
        aria-invalid={wrong ? true : undefined}
        value={value}
        size={width ?? 36}
        onChange={(event) => change(event.target.value)}
      />
    </div>
  );
}
