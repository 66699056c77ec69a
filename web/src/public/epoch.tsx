//! One epoch: how far its settlement is, what came out, by which rules.
import { Link, useParams } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { readCooperative } from "../api/generated";
import { useRead } from "../api/read";
import { type Epoch, readEpochWhole } from "../api/within";
import { Await } from "../ui/await";
import { useFormat } from "../ui/format";
import { Code, Facts, More, PageHead, Section } from "../ui/page";
import { EpochState } from "./state";

export const needs = ({ epoch }: Record<string, string>) => [readEpochWhole(Number(epoch)), readCooperative()];

export default function EpochPage() {
  const { t } = useTranslation("public");
  const { epoch } = useParams({ from: "/epochs/$epoch" });
  const view = useRead(readEpochWhole(Number(epoch)));
  const cooperative = useRead(readCooperative());
  return (
    <>
      <PageHead title={t("epoch.title", { epoch })} back={<Link to="/epochs">{t("epoch.back")}</Link>} />
      <Await of={[view, cooperative]}>
        {(shown, { now }) => (
          <>
            <p>
              <EpochState state={shown.state} />
            </p>
            <Way epoch={shown} now={now} />
            <Result epoch={shown} />
            <Rules params={shown.params} />
          </>
        )}
      </Await>
    </>
  );
}

function Way({ epoch: { end, final_at, header, state }, now }: { epoch: Epoch; now: number }) {
  const { t } = useTranslation("public");
  const { time } = useFormat();
  const isOver = end <= now;
  const computed = header ? "past" : isOver ? "now" : "future";
  const window = final_at ? t(state === "final" ? "epoch.steps.window.past" : "epoch.steps.window.future", { time: time(final_at) }) : t("epoch.steps.window.unknown");
  return (
    <ol className="steps">
      <li data-done={isOver}>
        <h2 className="step-title">{t("epoch.steps.runs.title")}</h2>
        <p>{t(isOver ? "epoch.steps.runs.past" : "epoch.steps.runs.future", { time: time(end) })}</p>
      </li>
      <li data-done={Boolean(header)}>
        <h2 className="step-title">{t("epoch.steps.computed.title")}</h2>
        <p>{t(`epoch.steps.computed.${computed}`)}</p>
      </li>
      <li data-done={state === "final"}>
        <h2 className="step-title">{t("epoch.steps.window.title")}</h2>
        <p>{window}</p>
      </li>
    </ol>
  );
}

function Result({ epoch: { header, root } }: { epoch: Epoch }) {
  const { t } = useTranslation("public");
  const { money, number } = useFormat();
  if (!header) return null;
  return (
    <Section title={t("epoch.result")}>
      {header.payout === "0" && <p>{t("epoch.nothing")}</p>}
      <Facts
        of={[
          [t("epoch.shared"), money(header.payout)],
          [t("epoch.people"), number(header.sharers)],
          [t("epoch.total"), money(header.cash_allocated)],
          [t("epoch.attempt"), number(header.attempt + 1)],
        ]}
      />
      {root && (
        <More title={t("epoch.proof")}>
          <p>{t("epoch.proofText")}</p>
          <Facts of={[[t("epoch.root"), <Code key="root">{root}</Code>]]} />
        </More>
      )}
    </Section>
  );
}

function Rules({ params }: { params: Epoch["params"] }) {
  const { t } = useTranslation("public");
  const { number, percent } = useFormat();
  // Parts are in bps: ten of them are a tenth of a per cent.
  const part = (bps: number) => percent(bps / 10);
  return (
    <Section title={t("epoch.rules")}>
      <ul>
        <li>{t("epoch.rulesFloor", { part: part(params.floor_bps) })}</li>
        <li>{t("epoch.rulesUse", { use: part(params.mix_usage), data: part(params.mix_data), early: part(params.mix_early) })}</li>
        <li>{t("epoch.smooth", { smoothing: number(params.smoothing) })}</li>
      </ul>
    </Section>
  );
}
