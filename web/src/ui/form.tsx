//! Questions of a form: one of some, one of many, a line, a longer text, a file.
import { type ReactNode, useId, useRef } from "react";

/** One of some, each with what it means. */
export function Options<T extends string | number>(props: { legend: string; name: string; value: T | undefined; options: readonly T[]; choose: (one: T) => void; text: (one: T) => [name: string, what?: ReactNode]; isShort?: boolean }) {
  const { legend, name, value, options, choose, text, isShort } = props;
  return (
    <fieldset className={`options${isShort ? " short" : ""}`}>
      <legend>{legend}</legend>
      {options.map((one) => {
        const [title, what] = text(one);
        return (
          <label key={one} className="option">
            <input type="radio" name={name} checked={one === value} onChange={() => choose(one)} />
            <span>
              {isShort ? title : <strong>{title}</strong>}
              {what && <span className="option-what">{what}</span>}
            </span>
          </label>
        );
      })}
    </fieldset>
  );
}

/** One of many. */
export function Select<T extends string | number>(props: { label: string; hint?: string; value: T; options: readonly T[]; choose: (one: T) => void; text: (one: T) => string }) {
  const { label, hint, value, options, choose, text } = props;
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {hint && (
        <p id={`${id}-hint`} className="small">
          {hint}
        </p>
      )}
      <select id={id} aria-describedby={hint ? `${id}-hint` : undefined} value={value} onChange={(event) => choose(options[event.target.selectedIndex] as T)}>
        {options.map((one) => (
          <option key={one} value={one}>
            {text(one)}
          </option>
        ))}
      </select>
    </div>
  );
}

interface Typed {
  label: string;
  hint?: string;
  wrong?: string | undefined;
}

/** The label of something that is typed into, what it wants, and what is wrong with it. */
function Shell({ label, hint, wrong, children }: Typed & { children: (given: { id: string; "aria-describedby": string | undefined; "aria-invalid": true | undefined }) => ReactNode }) {
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
      {children({ id, "aria-describedby": notes || undefined, "aria-invalid": wrong ? true : undefined })}
    </div>
  );
}

/** One line. */
export function Field({ value, change, isCode, width, ...shown }: Typed & { value: string; change: (value: string) => void; isCode?: boolean; width?: number }) {
  return (
    <Shell {...shown}>
      {(given) => (
        <input
          {...given}
          type="text"
          className={isCode ? "code-input" : undefined}
          autoComplete="off"
          autoCapitalize={isCode ? "characters" : "off"}
          spellCheck={false}
          value={value}
          size={width ?? 36}
          onChange={(event) => change(event.target.value)}
        />
      )}
    </Shell>
  );
}

/** Several lines. */
export function LongField({ value, change, rows, isCode, ...shown }: Typed & { value: string; change: (value: string) => void; rows?: number; isCode?: boolean }) {
  return (
    <Shell {...shown}>
      {(given) => (
        <textarea {...given} className={isCode ? "code-area" : undefined} rows={rows ?? 5} spellCheck={!isCode} value={value} onChange={(event) => change(event.target.value)} />
      )}
    </Shell>
  );
}

/** A file's text. */
export function FileButton({ label, accept, quiet, take }: { label: string; accept: string; quiet?: boolean; take: (text: string) => void }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" className={`button${quiet ? " quiet" : ""}`} onClick={() => input.current?.click()}>
        {label}
      </button>
      <input
        ref={input}
        type="file"
        accept={accept}
        hidden
        onChange={({ target }) => {
          const [file] = target.files ?? [];
          // The same file may be chosen again after it was changed.
          target.value = "";
          void file?.text().then(take);
        }}
      />
    </>
  );
}
