//! Epochs: when each ended, what was shared out, and whether that is final.
import { useQueries } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { readCooperative } from "../api/generated";
import { options, useRead } from "../api/read";
import { type Epoch, readEpochWhole } from "../api/within";
import { Await } from "../ui/await";
import { Chart } from "../ui/chart";
import { dollarsForDrawing, useFormat } from "../ui/format";
import { PageHead, Section } from "../ui/page";
import { Table } from "../ui/table";
import { EpochState } from "./state";

export const needs = () => [readCooperative()];

/** Most epochs on the page: each is a request of its own. */
const MOST = 12;

export default function Epochs() {
  const { t } = useTranslation("public");
  const cooperative = useRead(readCooperative());
  return (
    <>
      <PageHead title={t("epochs.title")} lead={t("epochs.lead")} />
      <Await of={[cooperative]}>{({ epoch }) => <Newest running={Math.max(epoch, 1)} />}</Await>
    </>
  );
}

function Newest({ running }: { running: number }) {
  const { t } = useTranslation("public");
  const { time } = useFormat();
  const numbers = Array.from({ length: Math.min(running, MOST) }, (_, back) => running - back);
  const epochs = useQueries({ queries: numbers.map((epoch) => options(readEpochWhole(epoch))) });
  return (
    <Await of={epochs}>
      {(...shown) => (
        <>
          <Section title={t("epochs.running")}>
            <p>{t("epochs.runningText", { epoch: running, time: time(shown[0]?.end ?? 0) })}</p>
          </Section>
          <Payouts epochs={shown} />
          {running > MOST && <p>{t("epochs.last", { count: MOST })}</p>}
        </>
      )}
    </Await>
  );
}

function Payouts({ epochs }: { epochs: Epoch[] }) {
  const { t } = useTranslation("public");
  const { date, money } = useFormat();
  return (
    <>
      <Drawn epochs={epochs} />
      <Table
        caption={t("epochs.caption")}
        rows={epochs}
        keyOf={(epoch) => epoch.epoch}
        columns={[
          {
            head: t("epochs.period"),
            cell: ({ epoch }) => (
              <Link to="/epochs/$epoch" params={{ epoch: String(epoch) }}>
                {t("epochs.name", { epoch })}
              </Link>
            ),
          },
          { head: t("epochs.ended"), cell: ({ end, state }) => (state === "running" ? t("epochs.ends", { time: date(end) }) : date(end)) },
          { head: t("epochs.state"), cell: ({ state }) => <EpochState state={state} /> },
          { head: t("epochs.people"), cell: ({ header }) => (header ? t("epochs.people", { count: header.sharers }) : t("epochs.none")) },
          { head: t("epochs.shared"), isNumber: true, cell: ({ header }) => (header ? money(header.payout) : t("epochs.none")) },
        ]}
      />
    </>
  );
}

/** A line wants two points. */
function Drawn({ epochs }: { epochs: Epoch[] }) {
  const { t } = useTranslation("public");
  const { number } = useFormat();
  const series = useMemo(() => {
    const settled = epochs.flatMap(({ epoch, header }) => (header ? [{ epoch, header }] : [])).reverse();
    return { at: settled.map(({ epoch }) => epoch), values: settled.map(({ header }) => dollarsForDrawing(header.payout)) };
  }, [epochs]);
  if (series.at.length < 2) return null;
  return (
    <figure className="figure">
      <figcaption>{t("epochs.chart")}</figcaption>
      <Chart series={series} title={t("epochs.chart")} nameAt={String} nameValue={number} />
    </figure>
  );
}
