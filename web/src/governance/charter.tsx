//! The rules in force: how each house decides, whether the cooperative is constituted, and what is stopped in an emergency.
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { type ConstitutionView, type HouseRules, readConstitution, readCooperative } from "../api/generated";
import { useRead } from "../api/read";
import { Await } from "../ui/await";
import { useFormat } from "../ui/format";
import { Code, Facts, Notice, PageHead, Section } from "../ui/page";
import { lackingOf } from "./constitution";
import { Paused } from "./paused";
import { Room } from "./room";

export const needs = () => [readConstitution(), readCooperative()];

export default function Charter() {
  const { t } = useTranslation("governance");
  const constitution = useRead(readConstitution());
  const cooperative = useRead(readCooperative());
  return (
    <>
      <Room />
      <PageHead title={t("charter.title")} lead={t("charter.lead")} />
      <Await of={[constitution, cooperative]}>
        {(rules, { now }) => (
          <>
            <Section title={t("charter.constituted")}>
              <Constituted of={rules} now={now} />
            </Section>
            {/* As everywhere, the house that everybody belongs to comes first. */}
            {[...rules.houses].reverse().map((house) => (
              <Section key={house.house} title={t("charter.rules", { house: t(`house.${house.house}`) })}>
                <House of={house} />
              </Section>
            ))}
            <p>{t("charter.change")}</p>
            <Section title={t("charter.pauses")}>
              <Pauses of={rules} />
            </Section>
          </>
        )}
      </Await>
      <p>
        <Link to="/houses">{t("charter.houses")}</Link>
      </p>
      <p>
        <a href="/v1/constitution">{t("charter.raw")}</a>
      </p>
      <p className="small">{t("charter.check")}</p>
    </>
  );
}

function Constituted({ of, now }: { of: ConstitutionView; now: number }) {
  const { t } = useTranslation("governance");
  const { number, span, time } = useFormat();
  const { constituted_at, seasoned_members, min_members, min_age, first_joined_at } = of;
  if (constituted_at != null) {
    return (
      <Notice title={t("charter.yes", { time: time(constituted_at) })} tone="good">
        <p>{t("charter.yesText")}</p>
      </Notice>
    );
  }
  const state = lackingOf(of, now).length > 0 ? "notYet" : "ready";
  const needed = span(min_age);
  const old = first_joined_at == null ? undefined : first_joined_at + min_age;
  return (
    <>
      <Notice title={t(`charter.${state}`)}>
        <p>{t(`charter.${state}Text`)}</p>
      </Notice>
      <Facts
        of={[
          [t("charter.members"), t("charter.membersText", { there: number(seasoned_members), needed: number(min_members) })],
          [t("charter.age"), old === undefined ? t("charter.ageNone", { needed }) : t(old <= now ? "charter.agePast" : "charter.ageFuture", { needed, time: time(old) })],
        ]}
      />
      <p className="small">{t("charter.membersNote")}</p>
    </>
  );
}

function House({ of }: { of: HouseRules }) {
  const { t } = useTranslation("governance");
  const { number, percent, span, units } = useFormat();
  const isMember = of.house === "member";
  return (
    <>
      <p className="small">{t(`house.${of.house}What`)}</p>
      <ul>
        <li>{isMember ? t("charter.proposeMember", { count: Number(of.proposal_threshold) }) : t("charter.proposeToken", { votes: units(of.proposal_threshold) })}</li>
        <li>{t("charter.waits", { span: span(of.voting_delay) })}</li>
        <li>{t("charter.period", { span: span(of.voting_period) })}</li>
        <li>{t("charter.late", { span: span(of.late_quorum_extension) })}</li>
        <li>{t("charter.quorum", { part: percent(of.quorum_bps / 10), floor: isMember ? number(Number(of.quorum_floor)) : units(of.quorum_floor) })}</li>
        <li>{t("charter.majority")}</li>
        <li>{t("charter.delay", { span: span(of.timelock_delay) })}</li>
      </ul>
    </>
  );
}

function Pauses({ of: { guardian, pauses } }: { of: ConstitutionView }) {
  const { t } = useTranslation("governance");
  return (
    <>
      <p>{t("charter.pausesText")}</p>
      {pauses.length === 0 ? (
        <p>
          <strong>{t("charter.noPauses")}</strong>
        </p>
      ) : (
        <Notice title={t("charter.paused")} tone="bad">
          <Paused pauses={pauses} />
        </Notice>
      )}
      <Facts of={[[t("charter.guardian"), <Code key="guardian">{guardian}</Code>]]} />
    </>
  );
}
