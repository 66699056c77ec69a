//! An auction by sealed bids: opened, bid in with a salt that is kept and saved first, revealed in time, closed, and what is owed fetched.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import * as v from "valibot";
import { PURPOSES, type Purpose } from "../api/codes";
import { ChainAway, ChainButton, useChain } from "../chain/act";
import type { Auction, Sale } from "../chain/auction";
import type { Contracts, Desk, Step } from "../chain/desk";
import { KeyCard, useOwnKey } from "../chain/keys";
import type { Address } from "../chain/provider";
import { Room, WithWallet, Words } from "../chain/room";
import { Bid, bids, type ReplyKey } from "../chain/store";
import { useBy } from "../chain/wallet";
import { saveFile } from "../member/parts/save";
import { useAct } from "../ui/act";
import { Await } from "../ui/await";
import { Field, FileButton, Options, Select } from "../ui/form";
import { useFormat } from "../ui/format";
import { Facts, Notice, Section } from "../ui/page";
import { microOf } from "./amount";
import { CATEGORIES, type Category } from "./categories";
import { Owed } from "./owed";

export default function AuctionPage() {
  const { t } = useTranslation("researcher-sale");
  const { dataset } = useParams({ from: "/auction/$dataset" });
  return (
    <Room
      title={t("auction.title", { dataset })}
      lead={t("auction.lead")}
      back={
        <Link to="/datasets/$dataset" params={{ dataset }}>
          {t("back")}
        </Link>
      }
    >
      <WithWallet>{(desk, contracts) => <House desk={desk} contracts={contracts} dataset={Number(dataset)} />}</WithWallet>
    </Room>
  );
}

interface Place {
  desk: Desk;
  contracts: Contracts;
  dataset: number;
}

const useBids = (desk: Desk, dataset: number) =>
  useQuery({ queryKey: ["bids", desk.account, dataset], queryFn: async () => (await bids.of(desk.account)).filter((bid) => bid.dataset === dataset && bid.chain === desk.site.chain_id), networkMode: "always", staleTime: 0 });

function House({ desk, contracts, dataset }: Place) {
  const own = useBids(desk, dataset);
  return <Await of={[own]}>{(kept) => <Live desk={desk} contracts={contracts} dataset={dataset} kept={kept} />}</Await>;
}

function Live({ desk, contracts, dataset, kept }: Place & { kept: Bid[] }) {
  const { t } = useTranslation(["researcher-sale", "researcher-chain"]);
  const { exactly: money, number } = useFormat();
  const sale = useChain(desk, ["auction", dataset], () => contracts.saleOf(desk, dataset, kept[0]?.auction), 10_000);
  const refresh = () => void sale.refetch();
  return (
    <Await of={[sale]} failed={ChainAway}>
      {(seen) => (
        <>
          <Owed desk={desk} contracts={contracts} from="auction" amount={seen.owed} refresh={refresh} />
          {!seen.isAuctioned && !seen.live && (
            <Notice title={t("researcher-sale:auction.not")}>
              <p>
                <Link to="/buy/$dataset" params={{ dataset: String(dataset) }}>
                  {t("researcher-sale:auction.toBuy")}
                </Link>
              </p>
            </Notice>
          )}
          {(seen.isAuctioned || seen.live) && (
            <Section title={t("researcher-sale:auction.terms")}>
              <Facts
                of={[
                  [t("researcher-sale:auction.sold"), t("researcher-sale:auction.soldText", { records: number(seen.terms.records), days: number(seen.terms.days) })],
                  [t("researcher-sale:auction.reserve"), money(seen.terms.reserve)],
                  [t("researcher-sale:auction.bond"), money(seen.terms.bond)],
                  [t("researcher-sale:auction.balance"), money(seen.balance)],
                ]}
              />
              <p>{t("researcher-sale:auction.how")}</p>
            </Section>
          )}
          {seen.isAuctioned && (!seen.live || seen.live.stage === "closed") && <Open desk={desk} contracts={contracts} dataset={dataset} refresh={refresh} />}
          {seen.live && <Running desk={desk} contracts={contracts} dataset={dataset} sale={seen} auction={seen.live} kept={kept} refresh={refresh} />}
        </>
      )}
    </Await>
  );
}

function Open({ desk, contracts, dataset, refresh }: Place & { refresh: () => void }) {
  const { t } = useTranslation(["researcher-sale", "researcher-chain", "common"]);
  const by = useBy();
  const [purpose, setPurpose] = useState<Purpose>(6);
  const opening = useAct(async (tell: (step: Step) => void) => {
    await contracts.openAuction(desk, dataset, purpose, tell);
    refresh();
  });
  return (
    <Section title={t("researcher-sale:auction.none")}>
      <p>{t("researcher-sale:auction.noneText")}</p>
      <Select label={t("researcher-sale:purpose")} value={purpose} options={PURPOSES} choose={setPurpose} text={(one) => t(`common:purpose.${one}.name`)} />
      <Words words={[t("researcher-sale:auction.openWords", { dataset, purpose: t(`common:purpose.${purpose}.name`) })]} />
      <ChainButton act={opening} given={[]} label={t("researcher-sale:auction.open", by)} kept={t("researcher-chain:nothingPaid")} />
    </Section>
  );
}

interface InAuction extends Place {
  sale: Sale;
  auction: Auction;
  kept: Bid[];
  refresh: () => void;
}

function Running(props: InAuction) {
  const { desk, contracts, auction, kept, refresh } = props;
  const { t } = useTranslation(["researcher-sale", "researcher-chain"]);
  const by = useBy();
  const { time, exactly: money, number } = useFormat();
  const { id, stage, own } = auction;
  const bid = kept.find((one) => one.auction === id && (one.seal === own?.seal || own?.isRevealed || !own));
  const closing = useAct(async (tell: (step: Step) => void) => {
    await contracts.close(desk, id, tell);
    refresh();
  });
  return (
    <Section title={t("researcher-sale:auction.number", { id })}>
      <Facts
        of={[
          [t("researcher-sale:auction.stage"), t(`researcher-sale:auction.stages.${stage}`)],
          [t("researcher-sale:auction.bidsUntil"), time(auction.commitEnd)],
          [t("researcher-sale:auction.revealUntil"), time(auction.revealEnd)],
          [t("researcher-sale:auction.bids"), t("researcher-sale:auction.bidsText", { count: auction.bids, hidden: number(auction.hidden) })],
          ...(auction.leader ? ([[t("researcher-sale:auction.leads"), t(auction.leader === desk.account ? "researcher-sale:auction.you" : "researcher-sale:auction.other", { amount: money(auction.best) })]] as [string, string][]) : []),
        ]}
      />
      {stage === "bidding" && !own && <BidForm {...props} />}
      {own && !own.isRevealed && (stage === "bidding" || stage === "revealing") && (bid ? <Reveal {...props} bid={bid} /> : <Lost {...props} seal={own.seal} />)}
      {own?.isRevealed && stage !== "closed" && <p>{t("researcher-sale:auction.revealed")}</p>}
      {own && !own.isRevealed && (stage === "over" || stage === "closed") && <p className="wrong">{t("researcher-sale:auction.tooLate")}</p>}
      {stage === "over" && <ChainButton act={closing} given={[]} label={t("researcher-sale:auction.close", by)} kept={t("researcher-chain:nothingPaid")} />}
      {stage === "closed" && <Closed {...props} />}
    </Section>
  );
}

function Closed({ desk, contracts, auction }: InAuction) {
  const { t } = useTranslation("researcher-sale");
  const { exactly: money } = useFormat();
  const ended = useChain(desk, ["closing", auction.id], () => contracts.closing(desk, auction.id).then((one) => one ?? null));
  return (
    <Await of={[ended]} failed={ChainAway}>
      {(end) => (
        <div role="status">
          <Notice title={t(!end || end.license === 0 ? "auction.soldNothing" : end.winner === desk.account ? "auction.won" : "auction.lost", { license: end?.license ?? 0, price: money(end?.price ?? 0n) })} tone={end?.winner === desk.account ? "good" : "note"}>
            <p>
              <Link to="/desk">{t("toDesk")}</Link>
            </p>
          </Notice>
        </div>
      )}
    </Await>
  );
}

function BidForm(props: InAuction) {
  const { desk } = props;
  const key = useOwnKey(desk);
  return <Await of={[key]}>{(own) => <Bidding {...props} answerKey={own} />}</Await>;
}

function Bidding({ desk, contracts, dataset, sale, auction, kept, refresh, answerKey }: InAuction & { answerKey: ReplyKey }) {
  const { t } = useTranslation(["researcher-sale", "researcher-chain", "researcher-buy", "common"]);
  const by = useBy();
  const { exactly: money, time } = useFormat();
  const queries = useQueryClient();
  const [text, setText] = useState("");
  const [purpose, setPurpose] = useState<Purpose>(6);
  const [category, setCategory] = useState<Category>(5);
  const [isWrongFile, setWrong] = useState(false);
  const amount = microOf(text);
  const wrong = amount === undefined ? t("researcher-sale:auction.amountWrong") : amount < auction.reserve ? t("researcher-sale:auction.low", { reserve: money(auction.reserve) }) : undefined;
  // The same bid again has the same seal, as a transaction of unknown fate may be on its way with it.
  const bid = kept.find((one) => one.auction === auction.id && BigInt(one.amount) === amount && one.purpose === purpose && one.category === category && one.key === answerKey.public);
  const again = () => queries.invalidateQueries({ queryKey: ["bids", desk.account, dataset] });
  const keep = async () => {
    if (amount === undefined) return;
    const salt: Address = `0x${[...crypto.getRandomValues(new Uint8Array(32))].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
    const drawn = bid ?? contracts.sealed(desk, { auction, dataset, amount, purpose, category, key: answerKey.public, salt });
    await bids.put(drawn);
    saveBid(drawn);
    await again();
  };
  // That a download began is no file: it is opened again before anything depends on it.
  const check = async (content: string) => {
    const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), Bid), content);
    const isRight = parsed.success && bid !== undefined && parsed.output.seal === bid.seal && parsed.output.salt === bid.salt && parsed.output.amount === bid.amount;
    setWrong(!isRight);
    if (!isRight || !bid) return;
    await bids.put({ ...bid, saved: true });
    await again();
  };
  const committing = useAct(async (tell: (step: Step) => void) => {
    if (!bid) return;
    await contracts.commit(desk, bid, auction.bond, tell);
    await again();
    refresh();
  });
  const permitted = t("researcher-chain:sign.permit", { spender: desk.site.manifest.addresses.auction_house, amount: money(auction.bond), account: desk.account, ...by });
  const words = [t("researcher-sale:auction.bidWords", { id: auction.id, seal: bid?.seal ?? "", bond: money(auction.bond) }), t("researcher-sale:auction.bidWords2", { from: time(auction.commitEnd), until: time(auction.revealEnd) })];
  return (
    <>
      <h3>{t("researcher-sale:auction.bid")}</h3>
      <Field label={t("researcher-sale:auction.amount")} hint={t("researcher-sale:auction.amountHint")} wrong={text ? wrong : undefined} value={text} change={setText} width={12} />
      <Options legend={t("researcher-sale:purpose")} name="purpose" value={purpose} options={PURPOSES} choose={setPurpose} text={(one) => [t(`common:purpose.${one}.name`)]} isShort />
      <Select label={t("researcher-buy:buy.category")} hint={t("researcher-buy:buy.categoryHint")} value={category} options={CATEGORIES} choose={setCategory} text={(one) => t(`researcher-buy:categories.${one}`)} />
      <KeyCard desk={desk} answerKey={answerKey} />
      {sale.balance < auction.bond && <p className="wrong">{t("researcher-chain:failed.usdc.title")}</p>}
      {!wrong && (
        <>
          <h3>{t("researcher-sale:auction.keep")}</h3>
          <p>{t("researcher-sale:auction.keepText")}</p>
          <p>
            <button type="button" className={`button${bid ? " quiet" : ""}`} onClick={() => void keep()}>
              {t("researcher-sale:auction.save")}
            </button>
          </p>
          {bid && !bid.saved && (
            <>
              <p>{t("researcher-sale:auction.check")}</p>
              <FileButton label={t("researcher-sale:auction.sure")} accept="application/json,.json" take={(content) => void check(content)} />
            </>
          )}
          {isWrongFile && (
            <p className="wrong" role="alert">
              {t("researcher-sale:auction.wrongBid")}
            </p>
          )}
          {bid?.saved && answerKey.saved && (
            <>
              <h3>{t("researcher-chain:sign.title")}</h3>
              <Words words={words} permitted={permitted} />
              <ChainButton act={committing} given={[]} label={t("researcher-sale:auction.commit", by)} kept={t("researcher-chain:nothingPaid")} />
            </>
          )}
        </>
      )}
    </>
  );
}

const saveBid = (bid: Bid) => saveFile(`bid-${bid.auction}-${bid.seal.slice(2, 8)}.json`, new Blob([`${JSON.stringify({ kind: "rochdale bid", version: 1, ...bid }, null, 2)}\n`], { type: "application/json" }));

function Reveal({ desk, contracts, dataset, auction, bid, refresh }: InAuction & { bid: Bid }) {
  const { t } = useTranslation(["researcher-sale", "researcher-chain"]);
  const by = useBy();
  const { exactly: money, time } = useFormat();
  const amount = BigInt(bid.amount);
  const rest = amount > auction.bond ? amount - auction.bond : 0n;
  const revealing = useAct(async (tell: (step: Step) => void) => {
    await contracts.reveal(desk, bid, auction.bond, tell);
    refresh();
  });
  const from = time(auction.commitEnd);
  const until = time(auction.revealEnd);
  const calendar = () => saveFile(`reveal-${auction.id}.ics`, new Blob([reminder(t("researcher-sale:auction.event", { id: auction.id }), `${window.location.origin}/auction/${dataset}`, auction.commitEnd, auction.revealEnd)], { type: "text/calendar" }));
  return (
    <>
      <Notice title={t("researcher-sale:auction.remember", { amount: money(amount) })}>
        <p>{t("researcher-sale:auction.rememberText", { from, until, bond: money(auction.bond) })}</p>
        <p className="buttons">
          <button type="button" className="button quiet" onClick={calendar}>
            {t("researcher-sale:auction.calendar")}
          </button>
          <button type="button" className="button quiet" onClick={() => saveBid(bid)}>
            {t("researcher-sale:auction.saveAgain")}
          </button>
        </p>
      </Notice>
      {auction.stage === "revealing" && (
        <>
          <h3>{t("researcher-chain:sign.title")}</h3>
          <Words
            permitted={rest > 0n ? t("researcher-chain:sign.permit", { spender: desk.site.manifest.addresses.auction_house, amount: money(rest), account: desk.account, ...by }) : undefined}
            words={[t("researcher-sale:auction.revealWords", { amount: money(amount), id: auction.id, rest: money(rest) }), t("researcher-sale:auction.revealWords2")]}
          />
          <ChainButton act={revealing} given={[]} label={t("researcher-sale:auction.reveal", by)} kept={t("researcher-chain:nothingPaid")} />
        </>
      )}
    </>
  );
}

/** The chain has a seal of this account's, and this browser does not know what was sealed. */
function Lost({ desk, dataset, seal }: InAuction & { seal: Address }) {
  const { t } = useTranslation("researcher-sale");
  const queries = useQueryClient();
  const [isWrong, setWrong] = useState(false);
  const take = async (content: string) => {
    const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), Bid), content);
    const isRight = parsed.success && parsed.output.seal === seal;
    setWrong(!isRight);
    if (!isRight) return;
    await bids.put({ ...parsed.output, saved: true });
    await queries.invalidateQueries({ queryKey: ["bids", desk.account, dataset] });
  };
  return (
    <Notice title={t("auction.missing")} tone="bad">
      <p>{t("auction.missingText")}</p>
      <FileButton label={t("auction.openBid")} accept="application/json,.json" take={(content) => void take(content)} />
      {isWrong && (
        <p className="wrong" role="alert">
          {t("auction.wrongBid")}
        </p>
      )}
    </Notice>
  );
}

/** An event for a calendar, RFC 5545. */
export function reminder(title: string, url: string, from: number, until: number): string {
  const at = (seconds: number) => new Date(seconds * 1_000).toISOString().replaceAll(/[-:]|\.\d{3}/g, "");
  const text = (words: string) => words.replaceAll(/([\\;,])/g, "\\$1").replaceAll("\n", "\\n");
  return ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Rochdale//auction//EN", "BEGIN:VEVENT", `UID:${from}-${until}@rochdale`, `DTSTAMP:${at(from)}`, `DTSTART:${at(from)}`, `DTEND:${at(until)}`, `SUMMARY:${text(title)}`, `URL:${url}`, "BEGIN:VALARM", "ACTION:DISPLAY", `DESCRIPTION:${text(title)}`, "TRIGGER:PT0M", "END:VALARM", "END:VEVENT", "END:VCALENDAR", ""].join("\r\n");
}

