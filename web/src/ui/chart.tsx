//! Bars over periods. Whoever uses it puts the same numbers into a table beside it: a picture is nobody's only way to a figure.
import { useEffect, useRef } from "react";
import type uPlot from "uplot";

export interface Series {
  /** Numbers along the bottom. */
  readonly at: number[];
  readonly values: number[];
}

const HEIGHT = 220;

export function Chart({ series, title, nameAt, nameValue }: { series: Series; title: string; nameAt: (at: number) => string; nameValue: (value: number) => string }) {
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const inside = frame.current;
    if (!inside) return;
    let plot: uPlot | undefined;
    let isGone = false;
    const draw = (make: typeof uPlot) => {
      plot?.destroy();
      plot = new make(optionsOf(make, inside, nameAt, nameValue), [series.at, series.values], inside);
    };
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const resize = new ResizeObserver(() => plot?.setSize({ width: inside.clientWidth, height: HEIGHT }));
    let redraw = () => undefined as void;
    void Promise.all([import("uplot"), import("uplot/dist/uPlot.min.css")]).then(([{ default: make }]) => {
      if (isGone) return;
      redraw = () => draw(make);
      redraw();
      resize.observe(inside);
      dark.addEventListener("change", redraw);
    });
    return () => {
      isGone = true;
      resize.disconnect();
      dark.removeEventListener("change", redraw);
      plot?.destroy();
    };
  }, [series, nameAt, nameValue]);
  return <div className="chart" role="img" aria-label={title} ref={frame} />;
}

/** Colours are those that the style sheet gives the frame: the canvas is drawn anew when the theme changes. */
function optionsOf(make: typeof uPlot, frame: HTMLElement, nameAt: (at: number) => string, nameValue: (value: number) => string): uPlot.Options {
  const style = getComputedStyle(frame);
  const ink = style.color;
  const line = style.borderTopColor;
  const mark = style.caretColor;
  const bars = make.paths.bars?.({ size: [0.5, 64] });
  const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line }, font: `14px ${style.fontFamily}` };
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
}
