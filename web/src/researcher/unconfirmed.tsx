//! What was sent from this browser, and nobody saw it end: a tab was closed, or the chain was slow. Until its end is known nothing is paid for again.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useChain } from "../chain/act";
import { type Contracts, type Desk, Reverted } from "../chain/desk";
import { isOpen, jobs, type Sent, sent } from "../chain/store";
import { useFormat } from "../ui/format";
import { Code, Notice } from "../ui/page";

const KINDS = ["buy", "renew", "job"];

const useOpen = (desk: Desk) =>
  useQuery({
    queryKey: ["sent", desk.account, desk.site.chain_id],
    queryFn: async () => (await sent.of(desk.account)).filter((one) => isOpen(one) && one.chain === desk.site.chain_id && KINDS.includes(one.kind)),
    networkMode: "always",
    staleTime: 0,
  });

/** What is bought, only where nothing that was sent before is of unknown fate. It is looked at once, before: what is sent from here is told here. */
export function Settled({ desk, contracts, children }: { desk: Desk; contracts: Contracts; children: ReactNode }) {
  const open = useOpen(desk);
  if (!open.data) return null;
  return open.data.length > 0 ? <Unconfirmed desk={desk} contracts={contracts} /> : children;
}

export function Unconfirmed({ desk, contracts }: { desk: Desk; contracts: Contracts }) {
  const open = useOpen(desk);
  return open.data?.map((one) => (
    <div key={one.hash} role="status">
      <Look desk={desk} contracts={contracts} one={one} />
    </div>
  ));
}

function Look({ desk, contracts, one }: { desk: Desk; contracts: Contracts; one: Sent }) {
  const { t } = useTranslation("researcher-buy");
  const { exactly: money } = useFormat();
  const queries = useQueryClient();
  const over = async (ended: Partial<Sent>) => {
    await sent.put({ ...one, ...ended, done: true });
    await queries.invalidateQueries({ queryKey: ["sent", desk.account] });
    await queries.invalidateQueries({ queryKey: ["/v1/licenses"] });
  };
  const seen = useChain(desk, ["mined", one.hash], async () => {
    const refused = (error: unknown) => (error instanceof Reverted ? null : Promise.reject(error));
    const receipt = await contracts.mined(desk, one.hash).catch(refused);
    if (!receipt) await over({});
    else if (one.kind === "buy") await over({ license: contracts.bought(desk, receipt).license });
    else if (one.kind === "renew") await over({});
    else {
      const { job, license } = contracts.openedIn(desk, receipt);
      await jobs.put({ id: `${one.chain}-${job}`, job, chain: one.chain, account: one.account, license, escrow: one.amount, plan: one.plan ?? "", dataset: one.dataset ?? 0, at: one.at });
      await queries.invalidateQueries({ queryKey: ["jobs", desk.account] });
      await over({ license });
    }
    return true;
  });
  return (
    <Notice title={t("desk.sentTitle")}>
      <p>{t(seen.isError ? "desk.sent.failed" : "desk.sent.waiting", { amount: money(one.amount) })}</p>
      <p>
        <Code>{one.hash}</Code>
      </p>
      {seen.isError && (
        <p className="buttons">
          <button type="button" className="button" onClick={() => void seen.refetch()}>
            {t("desk.sent.look")}
          </button>
          <button type="button" className="button quiet" onClick={() => void over({})}>
            {t("desk.sent.gone")}
          </button>
        </p>
      )}
    </Notice>
  );
}
