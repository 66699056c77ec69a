//! A frame that uPlot draws in: loaded when it is shown, drawn anew with the theme, as wide as there is room.
import { useEffect, useRef } from "react";
import type uPlot from "uplot";

export const HEIGHT = 220;
export type Draw = (make: typeof uPlot, frame: HTMLElement) => uPlot.Options;

/** `draw` and `data` stay the same objects until something changes: with each new one it is drawn anew. */
export function Plot({ data, title, draw }: { data: uPlot.AlignedData; title: string; draw: Draw }) {
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const inside = frame.current;
    if (!inside) return;
    let plot: uPlot | undefined;
    let isGone = false;
    const drawn = (make: typeof uPlot) => {
      plot?.destroy();
      plot = new make(draw(make, inside), data, inside);
    };
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const resize = new ResizeObserver(() => plot?.setSize({ width: inside.clientWidth, height: HEIGHT }));
    let redraw = () => undefined as void;
    void Promise.all([import("uplot"), import("uplot/dist/uPlot.min.css")]).then(([{ default: make }]) => {
      if (isGone) return;
      redraw = () => drawn(make);
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
  }, [data, draw]);
  return <div className="chart" role="img" aria-label={title} ref={frame} />;
}

/** Colours are those that the style sheet gives the frame. */
export function looksOf(frame: HTMLElement) {
  const style = getComputedStyle(frame);
  const line = style.borderTopColor;
  const parts = [1, 2, 3, 4, 5].map((part) => style.getPropertyValue(`--line-${part}`).trim() || style.caretColor);
  return { mark: style.caretColor, parts, axis: { stroke: style.color, grid: { stroke: line, width: 1 }, ticks: { stroke: line }, font: `14px ${style.fontFamily}` } };
}
