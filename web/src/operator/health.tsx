//! Whether every part works, for whoever runs the cooperative.
import { useTranslation } from "react-i18next";
import { type Cooperative, type Health, readCooperative, readHealth } from "../api/generated";
import { useRead } from "../api/read";
import { Await } from "../ui/await";
import { useFormat } from "../ui/format";
import { Code, Facts, Notice, PageHead, Section } from "../ui/page";
import { Table } from "../ui/table";
import { Room } from "./room";

export const needs = () => [readHealth(), readCooperative()];

/** Milliseconds between two looks. */
const EVERY = 10_000;

export default function HealthPage() {
  const { t } = useTranslation("operator");
  const health = useRead(readHealth(), EVERY);
  const cooperative = useRead(readCooperative(), EVERY);
  return (
    <>
      <Room />
      <PageHead title={t("health.title")} lead={t("health.lead")} />
      {/* Each by itself: a server that cannot work still says why, and then knows no directory. */}
      <Await of={[health]}>{(seen) => <Server health={seen} />}</Await>
      <Await of={[cooperative]}>{(directory) => <Directory of={directory} />}</Await>
      <Section title={t("health.more")}>
        <ul>
          <li>
            <a href="/v1/health">{t("health.raw")}</a>
          </li>
          <li>
            <a href="/v1/cooperative">{t("health.directory")}</a>
          </li>
        </ul>
      </Section>
    </>
  );
}

function Server({ health }: { health: Health }) {
  const { t } = useTranslation("operator");
  const { number, time } = useFormat();
  const { ok, problems, head, indexed, service, version, now, address } = health;
  const state = !ok ? "bad" : problems.length > 0 ? "some" : "good";
  const behind = Math.max(0, head - indexed);
  return (
    <>
      <Notice title={t(`health.${state}`)} tone={state === "some" ? "note" : state}>
        <p>{t(`health.${state}Text`)}</p>
      </Notice>
      {problems.length > 0 && (
        <Section title={t("health.problems")}>
          {/* Processes write English. */}
          <ul lang="en">
            {problems.map((problem) => (
              <li key={problem}>{problem}</li>
            ))}
          </ul>
        </Section>
      )}
      <Section title={t("health.server")}>
        <Facts
          of={[
            [t("health.service"), service],
            [t("health.version"), version],
            [
              t("health.read"),
              behind > 0
                ? t("health.behind", { count: behind, indexed: number(indexed), head: number(head) })
                : t(ok ? "health.level" : "health.at", { indexed: number(indexed) }),
            ],
            [t("health.clock"), time(now)],
            [t("health.address"), <Code key="address">{address}</Code>],
          ]}
        />
      </Section>
    </>
  );
}

function Directory({ of: { stewards, quorum, epoch, final_epoch, members } }: { of: Cooperative }) {
  const { t } = useTranslation("operator");
  const { number } = useFormat();
  return (
    <>
      <Section title={t("health.stewards")}>
        <p>{t("health.quorum", { quorum, count: stewards.length })}</p>
        <Table
          caption={t("health.caption")}
          rows={stewards}
          keyOf={({ steward }) => steward}
          columns={[
            { head: t("health.steward"), cell: ({ steward }) => t("health.name", { steward }) },
            {
              head: t("health.state"),
              cell: ({ up }) => (
                <span className="tag" data-tone={up ? "good" : "bad"}>
                  {t(up ? "health.up" : "health.down")}
                </span>
              ),
            },
            { head: t("health.url"), cell: ({ url }) => <Code>{url}</Code> },
          ]}
        />
      </Section>
      <Section title={t("health.epochs")}>
        <Facts
          of={[
            [t("health.running"), number(epoch)],
            [t("health.final"), final_epoch > 0 ? number(final_epoch) : t("health.none")],
            [t("health.members"), number(members)],
          ]}
        />
      </Section>
    </>
  );
}
