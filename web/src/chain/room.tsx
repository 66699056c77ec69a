//! What stands around a researcher's pages: where else to go, and the wallet.
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { LOCAL_CHAIN } from "../api/codes";
import { readWelcome } from "../api/generated";
import { useRead } from "../api/read";
import { kept } from "../member/core/kept";
import { Field } from "../ui/form";
import { useAct } from "../ui/act";
import { Await } from "../ui/await";
import { Beside } from "../ui/beside";
import { Code, More, Notice, PageHead } from "../ui/page";
import * as v from "valibot";
import { ChainFailed } from "./act";
import { type Contracts, contracts, type Desk } from "./desk";
import { hasPasskeys, type Own, owned, passkey, use } from "./passkey";
import { Account, failureOf, WalletFailure, type Announced } from "./provider";
import { type Site, useSite } from "./site";
import { addChain, connect, disconnect, knowAtomic, switchTo, useBy, useWallets } from "./wallet";

const PLACES = ["/datasets", "/request", "/desk", "/ask", "/ethics"] as const;

export function Room({ title, lead, back, children }: { title: string; lead?: string; back?: ReactNode; children: ReactNode }) {
  const { t } = useTranslation("researcher-chain");
  return (
    <>
      <Beside label={t("places.label")} pages={PLACES.map((place) => [place, t(`places.${place}`)])} />
      <PageHead title={title} back={back} {...(lead && { lead })} />
      {children}
    </>
  );
}

/** What needs a wallet; the way to one until it is there. */
export function WithWallet({ children }: { children: (desk: Desk, contracts: Contracts) => ReactNode }) {
  const site = useSite();
  return <Await of={[site]}>{(known) => <Known site={known}>{children}</Known>}</Await>;
}

function Known({ site, children }: { site: Site; children: (desk: Desk, contracts: Contracts) => ReactNode }) {
  const { chosen, account, chain } = useWallets();
  const [isSame, accept] = useSameContracts(site);
  if (!isSame) return <OtherContracts accept={accept} />;
  if (!chosen || !account) return <Choose />;
  if (chain !== site.chain_id) return <WrongChain wallet={chosen} shown={chain ?? 0} wanted={site.chain_id} />;
  return (
    <>
      <Connected wallet={chosen} account={account} />
      {/* Whatever was begun with an account is not gone on with by another. */}
      <Working key={account} desk={{ provider: chosen.provider, account, site }}>
        {children}
      </Working>
    </>
  );
}

function Working({ desk, children }: { desk: Desk; children: (desk: Desk, contracts: Contracts) => ReactNode }) {
  const loaded = useQuery({
    queryKey: ["contracts", desk.site.chain_id, desk.account],
    queryFn: async () => {
      const them = await contracts();
      const isAtomic = await them.isAtomic(desk);
      knowAtomic(isAtomic);
      return { them, isAtomic };
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
  return <Await of={[loaded]}>{({ them, isAtomic }) => children({ ...desk, isAtomic }, them)}</Await>;
}

function Choose() {
  return (
    <>
      <ByWallet />
      {hasPasskeys() && <ByPasskey />}
    </>
  );
}

/** An account whose key is a passkey, for who has no wallet. What that means is said before. */
function ByPasskey() {
  const { t } = useTranslation("researcher-chain");
  const [address, setAddress] = useState("");
  const [isWrong, setWrong] = useState(false);
  const making = useAct(() => connect(passkey));
  const using = useAct((_, one: Own) => {
    use(one);
    return connect(passkey);
  });
  const taking = useAct(async (_, of: string) => {
    const { take } = await import("./passkey-provider");
    await take(of).catch((error: unknown) => Promise.reject(failureOf(error)));
    await connect(passkey);
  });
  const states = [making.state, using.state, taking.state];
  const isWorking = states.some(({ at }) => at === "working");
  const failed = states.find((state) => state.at === "failed");
  const known = owned();
  return (
    <section className="wallets">
      <h2>{t("passkey.title")}</h2>
      <p>{t("passkey.what")}</p>
      <ul className="plain">
        {(["paid", "believes", "loss"] as const).map((point) => (
          <li key={point}>{t(`passkey.${point}`)}</li>
        ))}
      </ul>
      <ul>
        {known.map((one) => (
          <li key={one.account}>
            <button type="button" className="button quiet" aria-disabled={isWorking} onClick={() => using.act(one)}>
              {t("passkey.use", { account: `${one.account.slice(0, 8)}…${one.account.slice(-4)}` })}
            </button>
          </li>
        ))}
        {known.length === 0 && (
          <li>
            <button type="button" className="button quiet" aria-disabled={isWorking} onClick={() => making.act()}>
              {t("passkey.make")}
            </button>
          </li>
        )}
      </ul>
      <More title={t("passkey.have")}>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            const isAddress = v.is(Account, address.trim());
            setWrong(!isAddress);
            if (isAddress) taking.act(address.trim());
          }}
        >
          <Field label={t("passkey.address")} hint={t("passkey.addressHint")} wrong={isWrong ? t("passkey.addressWrong") : undefined} value={address} change={setAddress} />
          <button type="submit" className="button quiet" aria-disabled={isWorking}>
            {t("passkey.take")}
          </button>
        </form>
      </More>
      <div role="status">{isWorking && <p className="working">{t("passkey.working")}</p>}</div>
      {failed?.at === "failed" && <ChainFailed error={failed.error} kept={t("nothingSent")} />}
    </section>
  );
}

function ByWallet() {
  const { t } = useTranslation("researcher-chain");
  const { found } = useWallets();
  const connecting = useAct((_, wallet: Announced) => connect(wallet));
  if (found.length === 0) {
    return (
      <Notice title={t("wallet.none")}>
        <p>{t("wallet.noneWhat")}</p>
        <p>{t("wallet.noneDo")}</p>
        <p>{t("wallet.noneElse")}</p>
        <button type="button" className="button" onClick={() => window.location.reload()}>
          {t("wallet.reload")}
        </button>
      </Notice>
    );
  }
  return (
    <section className="wallets">
      <h2>{t("wallet.choose")}</h2>
      <p>{t("wallet.chooseWhat")}</p>
      <ul>
        {found.map((wallet) => (
          <li key={wallet.id}>
            <button type="button" className="button quiet" aria-disabled={connecting.state.at === "working"} onClick={() => connecting.act(wallet)}>
              {wallet.icon && <img src={wallet.icon} alt="" width="24" height="24" />}
              {t("wallet.connect", { name: wallet.name })}
            </button>
          </li>
        ))}
      </ul>
      <div role="status">{connecting.state.at === "working" && <p className="working">{t("wallet.connecting")}</p>}</div>
      {connecting.state.at === "failed" && <ChainFailed error={connecting.state.error} kept={t("nothingSent")} />}
    </section>
  );
}

function WrongChain({ wallet, shown, wanted }: { wallet: Announced; shown: number; wanted: number }) {
  const { t } = useTranslation("researcher-chain");
  const switching = useAct(() => switchTo(wallet, wanted));
  const { state } = switching;
  const isUnknown = state.at === "failed" && state.error instanceof WalletFailure && state.error.kind === "unknownChain";
  return (
    <div role="alert">
      <Notice title={t("wallet.wrongChain")} tone="bad">
        <p>{t("wallet.wrongChainWhat", { shown, wanted })}</p>
        {!isUnknown && (
          <button type="button" className="button" aria-disabled={state.at === "working"} onClick={() => switching.act()}>
            {t("wallet.switch", { wanted })}
          </button>
        )}
        {state.at === "working" && <p className="working">{t("wallet.switching")}</p>}
        {isUnknown && <Node wallet={wallet} wanted={wanted} />}
        <p>
          <button type="button" className="button quiet" onClick={disconnect}>
            {t("wallet.disconnect")}
          </button>
        </p>
      </Notice>
      {state.at === "failed" && !isUnknown && <ChainFailed error={state.error} kept={t("nothingSent")} />}
    </div>
  );
}

function Node({ wallet, wanted }: { wallet: Announced; wanted: number }) {
  const { t } = useTranslation("researcher-chain");
  // A cooperative that runs for trying out says where its chain is.
  const welcome = useRead(readWelcome());
  const [typed, setNode] = useState<string>();
  const node = typed ?? (wanted === LOCAL_CHAIN ? welcome.data?.researcher?.rpc_url : undefined) ?? "";
  const [isWrong, setWrong] = useState(false);
  const adding = useAct(() => addChain(wallet, wanted, node));
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const isAddress = /^https?:\/\/[^\s]+$/.test(node);
        setWrong(!isAddress);
        if (isAddress) adding.act();
      }}
    >
      <p>{t("wallet.add", { wanted })}</p>
      <Field label={t("wallet.node")} hint={t("wallet.nodeHint")} wrong={isWrong ? t("wallet.nodeWrong") : undefined} value={node} change={setNode} />
      <button type="submit" className="button" aria-disabled={adding.state.at === "working"}>
        {t("wallet.addAndSwitch")}
      </button>
      {adding.state.at === "working" && <p className="working">{t("wallet.switching")}</p>}
      {adding.state.at === "failed" && <ChainFailed error={adding.state.error} kept={t("nothingSent")} />}
    </form>
  );
}

function Connected({ wallet, account }: { wallet: Announced; account: string }) {
  const { t } = useTranslation("researcher-chain");
  return (
    <div className="wallet no-print" role="status">
      {wallet.icon && <img src={wallet.icon} alt="" width="32" height="32" />}
      <p>
        <span className="small">{wallet === passkey ? t("passkey.connected") : t("wallet.connected", { name: wallet.name })}</span>
        <br />
        <span className="unseen">{t("wallet.account")} </span>
        <Code>{account}</Code>
      </p>
      <button type="button" className="button quiet" onClick={disconnect}>
        {t("wallet.disconnect")}
      </button>
    </div>
  );
}

const Shown = v.object({ chain: v.number(), addresses: v.record(v.string(), v.string()) });
type Shown = v.InferOutput<typeof Shown>;
const seen = kept(() => localStorage, "rochdale.contracts", Shown);
/** What a member joined in this browser, who may be a researcher, too. */
const joined = kept(() => localStorage, "rochdale.joined", v.record(v.string(), v.object({ pin: v.object({ chain_id: v.number(), addresses: v.record(v.string(), v.string()) }) })));

/** Whether this site shows the contracts that it showed first. What is paid to others is lost. */
function useSameContracts({ chain_id, manifest }: Site): [isSame: boolean, accept: () => void] {
  const shown = { chain: chain_id, addresses: Object.fromEntries(Object.entries(manifest.addresses).map(([name, at]) => [name, String(at).toLowerCase()])) };
  // Known from the first answer on: what comes later is compared with that, also while the page stays open.
  const [known, setKnown] = useState(() => firstSeen(shown));
  const accept = () => {
    seen.write(shown);
    setKnown(shown);
  };
  return [isSameAs(known, shown), accept];
}

export const isSameAs = (known: Shown, shown: Shown): boolean => known.chain === shown.chain && Object.entries(known.addresses).every(([name, at]) => shown.addresses[name] === at.toLowerCase());

/** What this browser knew before; else what is shown now, which it knows from now on. */
export function firstSeen(shown: Shown): Shown {
  const before = seen.read();
  if (before) return before;
  const [pinned] = Object.values(joined.read() ?? {});
  const first = pinned ? { chain: pinned.pin.chain_id, addresses: pinned.pin.addresses } : shown;
  seen.write(first);
  return first;
}

function OtherContracts({ accept }: { accept: () => void }) {
  const { t } = useTranslation("researcher-chain");
  return (
    <div role="alert">
      <Notice title={t("wallet.otherContracts")} tone="bad">
        <p>{t("wallet.otherContractsWhat")}</p>
        <p>{t("wallet.otherContractsDo")}</p>
        <button type="button" className="button quiet" onClick={accept}>
          {t("wallet.otherContractsYes")}
        </button>
      </Notice>
    </div>
  );
}

/** What is about to be signed and sent, word for word; kept with the receipt. */
export function Words({ words, permitted }: { words: readonly string[]; permitted?: string | undefined }) {
  const { t } = useTranslation("researcher-chain");
  const by = useBy();
  return (
    <div className="words">
      {permitted && (
        <>
          <p>{t("sign.first", by)}</p>
          <p>
            <strong>{permitted}</strong>
          </p>
        </>
      )}
      <p>{t(permitted ? "sign.then" : "sign.only", by)}</p>
      <ul>
        {words.map((word) => (
          <li key={word}>{word}</li>
        ))}
      </ul>
    </div>
  );
}

