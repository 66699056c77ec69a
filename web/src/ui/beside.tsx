//! The pages of one room, above each of them.
import { Link, type LinkProps } from "@tanstack/react-router";

export function Beside({ label, pages }: { label: string; pages: readonly (readonly [to: NonNullable<LinkProps["to"]>, name: string])[] }) {
  return (
    <nav aria-label={label} className="mine">
      <ul>
        {pages.map(([to, name]) => (
          <li key={to}>
            <Link to={to} activeOptions={{ exact: true }} activeProps={{ "aria-current": "page" }}>
              {name}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
