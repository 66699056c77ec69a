//! Bars over periods. Whoever uses it puts the same numbers into a table beside it: a picture is nobody's only way to a figure.
import { useCallback, useMemo } from "react";
import { type Draw, HEIGHT, looksOf, Plot } from "./plot";

export interface Series {
  /** Numbers along the bottom. */
  readonly at: number[];
  readonly values: number[];
}

export function Chart({ series, title, nameAt, nameValue }: { series: Series; title: string; nameAt: (at: number) => string; nameValue: (value: number) => string }) {
  const data = useMemo(() => [series.at, series.values] as [number[], number[]], [series]);
  const draw = useCallback<Draw>(
    (make, frame) => {
      const { mark, axis } = looksOf(frame);
      const bars = make.paths.bars?.({ size: [0.5, 64] });
      return {
        width: frame.clientWidth,
        height: HEIGHT,
        legend: { show: false },
        cursor: { show: false },
        // Half a step of room on either side, for the first bar and the last.
        scales: { x: { time: false, range: (_, first, last) => [first - 0.5, last + 0.5] }, y: { range: (_, __, most) => [0, most > 0 ? most * 1.1 : 1] } },
        axes: [
          { ...axis, grid: { show: false }, incrs: [1, 2, 5, 10, 20, 50, 100], values: (_, at) => at.map(nameAt) },
          { ...axis, size: 84, values: (_, values) => values.map(nameValue) },
        ],
        series: [{}, { fill: mark, width: 0, points: { show: false }, ...(bars && { paths: bars }) }],
      };
    },
    [nameAt, nameValue],
  );
  return <Plot data={data} title={title} draw={draw} />;
}
