//! From being proposed to being in force, with when.
import { useTranslation } from "react-i18next";
import type { ProposalView } from "../api/generated";
import { useFormat } from "../ui/format";

export function Timeline({ proposal, now }: { proposal: ProposalView; now: number }) {
  const { t } = useTranslation("governance");
  const { time } = useFormat();
  const { proposed_at, opens_at, closes_at, extended, executable_at, queued_at, executed_at, canceled_at, status } = proposal;
  const isWon = status === "succeeded" || status === "queued" || status === "executed";
  const isLost = status === "defeated" || status === "canceled" || status === "expired";
  const voting = status === "pending" ? "future" : status === "active" ? "now" : "past";
  return (
    <ol className="steps">
      <Step isDone title={t("steps.proposed")} text={time(proposed_at)} />
      {status === "canceled" ? (
        <Step isDone title={t(queued_at ? "steps.stopped" : "steps.canceled")} text={time(canceled_at ?? now)} />
      ) : (
        <>
          <Step isDone={voting === "past"} title={t("steps.voting")} text={t(`steps.votes.${voting}`, { opens: time(opens_at), closes: time(closes_at) })} more={extended ? t("steps.extended") : undefined} />
          {isLost ? (
            <Step isDone title={t(`status.${status}`)} text={t(`steps.${status}`)} />
          ) : (
            <>
              <Step isDone={Boolean(executed_at)} title={t("steps.waits")} text={t(`steps.wait.${queued_at ? "past" : isWon ? "now" : "future"}`, { time: time(executable_at) })} />
              <Step isDone={Boolean(executed_at)} title={t("steps.force")} text={executed_at ? time(executed_at) : t("steps.earliest", { time: time(executable_at) })} />
            </>
          )}
        </>
      )}
    </ol>
  );
}

function Step({ isDone, title, text, more }: { isDone: boolean; title: string; text: string; more?: string | undefined }) {
  return (
    <li data-done={isDone}>
      <p className="step-title">{title}</p>
      <p>{text}</p>
      {more && <p className="small">{more}</p>}
    </li>
  );
}
