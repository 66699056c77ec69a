//! Something that the member has done: under way, failed with what to do, or done. While one is under way a second press does nothing.
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { ReadFailure } from "../../api/read";
import type { Act } from "../../ui/act";
import { More, Notice } from "../../ui/page";
import { Elsewhere } from "../core/acting";
import { NoDoor } from "../core/coming";
import { PasskeyFailure } from "../core/passkey";
import { RulesFailure } from "../core/refusal";
import { NotConfirmed } from "../core/send";

export { type Act, type ActState, type Tell, useAct } from "../../ui/act";

/** The button, what is under way, and what went wrong. `kept`: what a failure left as it was. */
export function ActButton<Step, Given extends unknown[]>(props: {
  act: Act<Step, Given>;
  given: Given;
  label: string;
  working: (step: Step | undefined, part: number) => string;
  kept: string | ((error: Error) => string);
  quiet?: boolean;
  danger?: boolean;
  describedBy?: string;
}) {
  const { act, given, label, working, kept, quiet, danger, describedBy } = props;
  const { state } = act;
  const isWorking = state.at === "working";
  return (
    <>
      <p>
        <button type="button" className={`button${quiet ? " quiet" : ""}${danger ? " danger" : ""}`} aria-disabled={isWorking} aria-describedby={describedBy} onClick={() => act.act(...given)}>
          {label}
        </button>
      </p>
      <div role="status">{isWorking && <p className="working">{working(state.step, state.part)}</p>}</div>
      {state.at === "failed" && <ActFailed error={state.error} kept={typeof kept === "string" ? kept : kept(state.error)} />}
    </>
  );
}

/** What happened, whether anything was lost, what to do. */
export function ActFailed({ error, kept, children }: { error: Error; kept: string; children?: ReactNode }) {
  const { t } = useTranslation(["member-mine", "common"]);
  const sort = failureOf(error);
  return (
    <div role="alert">
      <Notice title={t(`member-mine:failed.${sort}.title`)} tone="bad">
        <p>{t(`member-mine:failed.${sort}.what`)}</p>
        <p>{kept}</p>
        <p>{t(`member-mine:failed.${sort}.do`)}</p>
        {children}
        <More title={t("common:failed.details")}>
          <p lang="en">{detailOf(error)}</p>
        </More>
      </Notice>
    </div>
  );
}

const detailOf = (error: Error) => (error instanceof ReadFailure ? `${error.path}: ${error.code ?? error.kind}: ${error.message}` : `${error.name}: ${error.message}`);

export type Failure =
  | "cancelled" | "absent" | "known" | "passkey" | "noDoor" | "noCode" | "code" | "address" | "rules" | "unconfirmed"
  | "unreachable" | "behind" | "often" | "refused" | "consent" | "large" | "late" | "strange" | "older" | "otherCooperative" | "otherKeepers" | "elsewhere";

const BY_CODE: Record<string, Failure> = {
  chain_unavailable: "behind",
  peer_unavailable: "behind",
  peer_fault: "behind",
  halted: "behind",
  not_enough: "behind",
  too_slow: "unreachable",
  too_many_requests: "often",
  storage_full: "often",
  budget_exceeded: "often",
  chain_refused: "refused",
  conflict: "refused",
  forbidden: "refused",
  unauthenticated: "refused",
  bad_request: "refused",
  not_found: "refused",
  consent_denied: "consent",
  erased: "consent",
  too_large: "large",
  expired: "late",
  locker_older: "older",
  other_cooperative: "otherCooperative",
  other_stewards: "otherKeepers",
};

/** Which of the sentences fits. */
export function failureOf(error: Error): Failure {
  if (error instanceof PasskeyFailure) return error.kind === "strange" ? "passkey" : error.kind;
  if (error instanceof NoDoor) return error.by === "code" ? "noCode" : "noDoor";
  if (error instanceof RulesFailure) {
    if (error.kind === "refused" && /is no address/.test(error.message)) return "address";
    return error.kind === "refused" && /code/i.test(error.message) ? "code" : "rules";
  }
  if (error instanceof Elsewhere) return "elsewhere";
  if (error instanceof NotConfirmed) return "unconfirmed";
  if (error instanceof ReadFailure) return error.kind === "refused" ? (BY_CODE[error.code ?? ""] ?? "strange") : error.kind;
  return "strange";
}
