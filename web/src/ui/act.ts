//! Something that somebody has done: under way, failed with what to do, or done. While one is under way a second press does nothing.
import { useCallback, useRef, useState } from "react";

export type ActState<Step> =
  | { readonly at: "idle" | "done" }
  | { readonly at: "working"; readonly step: Step | undefined; readonly part: number }
  | { readonly at: "failed"; readonly error: Error };

export type Tell<Step> = (step: Step, part?: number) => void;

export interface Act<Step, Given extends unknown[]> {
  readonly state: ActState<Step>;
  readonly act: (...given: Given) => void;
  readonly reset: () => void;
}

export function useAct<Given extends unknown[] = [], Step = never>(run: (tell: Tell<Step>, ...given: Given) => Promise<unknown>): Act<Step, Given> {
  const [state, setState] = useState<ActState<Step>>({ at: "idle" });
  const isWorking = useRef(false);
  const latest = useRef(run);
  latest.current = run;
  const act = useCallback((...given: Given) => {
    if (isWorking.current) return;
    isWorking.current = true;
    const tell: Tell<Step> = (step, part = 0) => setState({ at: "working", step, part });
    setState({ at: "working", step: undefined, part: 0 });
    void latest
      .current(tell, ...given)
      .then(
        () => setState({ at: "done" }),
        (error: unknown) => setState({ at: "failed", error: error instanceof Error ? error : new Error(String(error)) }),
      )
      .finally(() => (isWorking.current = false));
  }, []);
  return { state, act, reset: useCallback(() => setState({ at: "idle" }), []) };
}
