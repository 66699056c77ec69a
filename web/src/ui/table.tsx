//! A table that scrolls by itself where the screen is narrow, by keyboard too.
import { type ReactNode, useId } from "react";

export interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row) => ReactNode;
  readonly isNumber?: boolean;
}

/** The first column names the row. */
export function Table<Row>({ caption, rows, columns, keyOf }: { caption: string; rows: readonly Row[]; columns: readonly Column<Row>[]; keyOf: (row: Row, at: number) => string | number }) {
  const id = useId();
  return (
    <>
      {/* Not in the table: there it would be as wide as the table, and leave a narrow screen with it. */}
      <p id={id} className="caption">
        {caption}
      </p>
      {/* A scrolling region that holds the focus: WCAG 2.1.1 for who has no mouse. */}
      <div className="table-frame" role="region" aria-labelledby={id} tabIndex={0}>
        <table aria-labelledby={id}>
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column.head} scope="col" className={column.isNumber ? "number" : undefined}>
                  {column.head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row, at) => (
              <tr key={keyOf(row, at)}>
                {columns.map((column, place) =>
                  place === 0 ? (
                    <th key={column.head} scope="row">
                      {column.cell(row)}
                    </th>
                  ) : (
                    <td key={column.head} className={column.isNumber ? "number" : undefined}>
                      {column.cell(row)}
                    </td>
                  ),
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
