//! What a sale by auction or a computing job owes back: it is fetched.
import { useTranslation } from "react-i18next";
import { ChainButton } from "../chain/act";
import type { Contracts, Desk, Step } from "../chain/desk";
import { useAct } from "../ui/act";
import { useFormat } from "../ui/format";
import { Notice } from "../ui/page";

export function Owed({ desk, contracts, from, amount, refresh }: { desk: Desk; contracts: Contracts; from: "auction" | "compute"; amount: bigint; refresh: () => void }) {
  const { t } = useTranslation(["researcher-sale", "researcher-chain"]);
  const { money } = useFormat();
  const fetching = useAct(async (tell: (step: Step) => void) => {
    await contracts.withdraw(desk, from, tell);
    refresh();
  });
  if (amount === 0n) return fetching.state.at === "done" ? <div role="status">{<Notice title={t("researcher-sale:fetched")} tone="good" />}</div> : null;
  return (
    <Notice title={t("researcher-sale:owed", { amount: money(amount) })} tone="good">
      <p>{t(`researcher-sale:owedBy.${from}`)}</p>
      <ChainButton act={fetching} given={[]} label={t("researcher-sale:fetch")} kept={t("researcher-chain:nothingPaid")} />
    </Notice>
  );
}
