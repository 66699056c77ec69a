//! Something done by the wallet: its button, where it stands, and what went wrong, with what to do.
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { ReadFailure } from "../api/read";
import { RulesFailure } from "../member/core/refusal";
import type { Act } from "../ui/act";
import { sortOf } from "../ui/await";
import { More, Notice } from "../ui/page";
import { Already, type Desk, NoKey, PriceChanged, Reverted, SentFailure, type Step } from "./desk";
import { WalletFailure } from "./provider";
import { useBy } from "./wallet";

/** What a page asks of the chain, through the wallet's own provider; asked again where the account or the chain changes. */
export function useChain<T>(desk: Desk, key: readonly unknown[], ask: () => Promise<T>, every?: number) {
  return useQuery({ queryKey: ["chain", desk.site.chain_id, desk.account, ...key], queryFn: ask, retry: false, staleTime: 3_000, refetchInterval: every ?? false });
}

export function ChainButton<Given extends unknown[]>(props: { act: Act<Step, Given>; given: Given; label: string; kept: string; quiet?: boolean; describedBy?: string | undefined; failed?: ReactNode }) {
  const { act, given, label, kept, quiet, describedBy, failed } = props;
  const { t } = useTranslation("researcher-chain");
  const by = useBy();
  const { state } = act;
  const isWorking = state.at === "working";
  // What was sent is not sent again from here.
  const isSent = state.at === "failed" && state.error instanceof SentFailure;
  return (
    <>
      {!isSent && (
        <p>
          <button type="button" className={`button${quiet ? " quiet" : ""}`} aria-disabled={isWorking} aria-describedby={describedBy} onClick={() => act.act(...given)}>
            {label}
          </button>
        </p>
      )}
      <div role="status">{isWorking && <p className="working">{t(`working.${state.step ?? "none"}`, by)}</p>}</div>
      {state.at === "failed" && (
        <ChainFailed error={state.error} kept={kept}>
          {failed}
        </ChainFailed>
      )}
    </>
  );
}

/** What happened, whether anything was lost, what to do. */
export function ChainFailed({ error, kept, children }: { error: Error; kept?: string | undefined; children?: ReactNode }) {
  const { t } = useTranslation(["researcher-chain", "common"]);
  const at = error instanceof ReadFailure ? (`common:failed.${sortOf(error)}` as const) : (`researcher-chain:failed.${failureOf(error)}` as const);
  return (
    <div role="alert">
      <Notice title={t(`${at}.title`)} tone="bad">
        <p>{t(`${at}.what`)}</p>
        {kept && !wasSent(error) && <p>{kept}</p>}
        <p>{t(`${at}.do`)}</p>
        {children}
        <More title={t("common:failed.details")}>
          <p lang="en" className="code">
            {error instanceof ReadFailure ? `${error.path}: ${error.code ?? error.kind}: ${error.message}` : `${error.name}: ${error.message}`}
          </p>
        </More>
      </Notice>
    </div>
  );
}

/** The same in the place of what a page reads. */
export function ChainAway({ error, again, isTrying }: { error: Error; again: () => void; isTrying: boolean }) {
  const { t } = useTranslation(["researcher-chain", "common"]);
  return (
    <ChainFailed error={error}>
      <button type="button" className="button" onClick={again} aria-disabled={isTrying}>
        {isTrying ? t("common:failed.trying") : t("common:failed.again")}
      </button>
    </ChainFailed>
  );
}

const BY_REASON: Record<string, Failure> = {
  Refused: "refusedInBlock",
  LicenseSale_NotApproved: "notApproved",
  LicenseSale_DatasetClosed: "closed",
  LicenseSale_SoldOtherwise: "soldOtherwise",
  LicenseSale_PriceExceeds: "price",
  LicenseSale_NotBonded: "notBonded",
  LicenseSale_BadOrder: "badOrder",
  ERC20InsufficientBalance: "usdc",
  ERC20InsufficientAllowance: "permit",
  ERC2612ExpiredSignature: "permit",
  ERC2612InvalidSigner: "permit",
  Pausing_Paused: "paused",
  EthicsRegistry_BadSignature: "notBoard",
  EthicsRegistry_BadNonce: "used",
  EthicsRegistry_Expired: "expired",
  EthicsRegistry_ProtocolTooLong: "tooLong",
  AuctionHouse_AlreadyBid: "bid",
  AuctionHouse_NotOpen: "notOpen",
  AuctionHouse_NotRevealing: "notOpen",
  AuctionHouse_NotFinished: "notOpen",
  AuctionHouse_NotAuctioned: "soldOtherwise",
  AuctionHouse_WrongSeal: "seal",
  ComputeDesk_NoPrice: "noPrice",
  ComputeDesk_TooEarly: "early",
  EscrowedSale_NothingOwed: "nothingOwed",
};

export type Failure =
  | "refused" | "chain" | "pending" | "locked" | "unknownChain" | "gone" | "funds" | "wallet" | "price" | "notApproved" | "closed" | "soldOtherwise" | "notBonded"
  | "usdc" | "permit" | "paused" | "badOrder" | "notBoard" | "used" | "expired" | "tooLong" | "bid" | "notOpen" | "seal" | "noPrice" | "early" | "nothingOwed"
  | "member" | "unconfirmed" | "noPasskey" | "unpaid" | "often" | "away" | "already" | "noKey" | "waiting" | "maybe" | "refusedInBlock" | "contract" | "rules" | "strange";

/** Nobody may say of it that nothing was paid: a refusal in a block costs the fee, and of what was not seen to end nobody knows. */
export const wasSent = (error: Error): boolean => error instanceof SentFailure || (error instanceof Reverted && error.hash !== undefined);

/** Which of the sentences fits. */
export function failureOf(error: Error): Failure {
  if (error instanceof SentFailure) return error.hash ? "waiting" : "maybe";
  if (error instanceof WalletFailure) return error.kind === "strange" ? "wallet" : error.kind;
  if (error instanceof Reverted) return BY_REASON[error.reason] ?? "contract";
  if (error instanceof PriceChanged) return "price";
  if (error instanceof Already) return "already";
  if (error instanceof NoKey) return "noKey";
  return error instanceof RulesFailure ? "rules" : "strange";
}
