//! One of several, with what each means.
import type { ReactNode } from "react";

export function Options<T extends string | number>(props: { legend: string; name: string; value: T | undefined; options: readonly T[]; choose: (one: T) => void; text: (one: T) => [name: ReactNode, what: string] }) {
  const { legend, name, value, options, choose, text } = props;
  return (
    <fieldset className="options">
      <legend>{legend}</legend>
      {options.map((one) => {
        const [title, what] = text(one);
        return (
          <label key={one} className="option">
            <input type="radio" name={name} checked={one === value} onChange={() => choose(one)} />
            <span>
              <strong>{title}</strong>
              {what && <span className="option-what">{what}</span>}
            </span>
          </label>
        );
      })}
    </fieldset>
  );
}
