//! Lines over days, one for each part. As with bars, the same numbers stand in a table beside it.
import { useCallback } from "react";
import { isSparse } from "./gaps";
import { type Draw, HEIGHT, looksOf, Plot } from "./plot";

/** Days along the bottom in Unix seconds, then the values of each part; nothing where there is none. */
export type Days = [number[], ...(number | null)[][]];

/** Parts are told apart by how a line is drawn, too. */
const DASHES = [[], [8, 5], [2, 4], [12, 4, 2, 4], [5, 3]];

export function Lines({ days, title, nameDay, nameValue }: { days: Days; title: string; nameDay: (day: number) => string; nameValue: (value: number) => string }) {
  const parts = days.length - 1;
  // A day without a value is a gap; what stands between gaps is a point.
  const sparse = days.slice(1).map((values) => isSparse(values)).join();
  const draw = useCallback<Draw>(
    (_, frame) => {
      const looks = looksOf(frame);
      const isPoints = sparse.split(",").map((one) => one === "true");
      return {
        width: frame.clientWidth,
        height: HEIGHT,
        legend: { show: false },
        cursor: { show: false },
        scales: { x: { time: false }, y: { range: (_, least, most) => [Math.min(0, least ?? 0), most > 0 ? most * 1.1 : 1] } },
        axes: [
          { ...looks.axis, grid: { show: false }, space: 110, incrs: [1, 2, 7, 14, 30, 61, 92].map((count) => count * 86_400), values: (_, at) => at.map(nameDay) },
          { ...looks.axis, size: 84, values: (_, values) => values.map(nameValue) },
        ],
        series: [{}, ...Array.from({ length: parts }, (_, at) => ({ stroke: looks.parts[at % 5] ?? looks.mark, width: 2.5, dash: DASHES[at % 5] ?? [], points: { show: isPoints[at] ?? false, size: 6 }, spanGaps: false }))],
      };
    },
    [parts, sparse, nameDay, nameValue],
  );
  return <Plot data={days} title={title} draw={draw} />;
}

/** What each line is. */
export function Legend({ names }: { names: string[] }) {
  return (
    <ul className="legend">
      {names.map((name, at) => (
        <li key={name}>
          <svg width="40" height="10" aria-hidden="true">
            <line x1="0" y1="5" x2="40" y2="5" strokeWidth="2.5" strokeDasharray={DASHES[at % 5]?.join(" ")} data-line={(at % 5) + 1} />
          </svg>
          {name}
        </li>
      ))}
    </ul>
  );
}
