//! Operations: what each process says of itself, what waits and until when, and who is admitted.
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { type Admissions, type Cooperative, type Operations as Means, readAdmissions, readConstitution, readCooperative, readHealth, readOperations, readProposals } from "../api/generated";
import { useRead } from "../api/read";
import { Await } from "../ui/await";
import { permilleUp, useFormat } from "../ui/format";
import { Code, Facts, Notice, PageHead, Section } from "../ui/page";
import { Table } from "../ui/table";
import { Alarms, EVERY } from "./alarms";
import { daysAt } from "./gas";
import { type Process, stateOf, useKeepers } from "./processes";
import { Room } from "./room";

export const needs = () => [readCooperative(), readHealth(), readOperations(), readAdmissions(), readConstitution(), readProposals()];

export default function Operations() {
  const { t } = useTranslation("operator");
  const cooperative = useRead(readCooperative(), EVERY);
  const means = useRead(readOperations(), EVERY);
  const admissions = useRead(readAdmissions(), EVERY);
  return (
    <>
      <Room />
      <PageHead title={t("operations.title")} lead={t("operations.lead")} />
      {/* Each by itself: what one process cannot say keeps nothing else from being shown. */}
      <Await of={[cooperative]}>{(directory) => <Running directory={directory} />}</Await>
      <Section title={t("operations.means")}>
        <Await of={[means]}>{(has) => <Paying of={has} />}</Await>
      </Section>
      <Section title={t("operations.admissions")}>
        <Await of={[admissions]}>{(seen) => <Admitting of={seen} />}</Await>
      </Section>
      <p>
        <Link to="/log">{t("operations.toLog")}</Link>
      </p>
    </>
  );
}

function Running({ directory }: { directory: Cooperative }) {
  const { t } = useTranslation("operator");
  const keepers = useKeepers(directory.stewards);
  return (
    <>
      <Section title={t("operations.alarms")}>
        <Alarms directory={directory} keepers={keepers} />
      </Section>
      <Section title={t("operations.keepers")}>
        <Keepers keepers={keepers} />
        <p className="small">{t("operations.worker")}</p>
      </Section>
    </>
  );
}

function Keepers({ keepers }: { keepers: Process[] }) {
  const { t } = useTranslation("operator");
  const { number } = useFormat();
  const tones = { up: "good", bad: "bad", away: "bad" } as Record<string, string>;
  return (
    <Table
      caption={t("operations.caption")}
      rows={keepers}
      keyOf={({ steward }) => steward}
      columns={[
        { head: t("health.steward"), cell: ({ steward }) => t("health.name", { steward }) },
        {
          head: t("health.state"),
          cell: (keeper) => (
            <span className="tag" data-tone={tones[stateOf(keeper)]}>
              {t(`operations.state.${stateOf(keeper)}`)}
            </span>
          ),
        },
        { head: t("operations.read"), isNumber: true, cell: ({ health }) => (health ? t("operations.of", { indexed: number(health.indexed), head: number(health.head) }) : t("kpis.none")) },
        { head: t("operations.settled"), isNumber: true, cell: ({ settled }) => (settled === undefined ? t("kpis.none") : number(settled)) },
        { head: t("operations.wrong"), cell: ({ health, waiting }) => <span lang="en">{[...(health?.problems ?? []), ...(waiting ? [waiting] : [])].join("; ") || t("kpis.none")}</span> },
        { head: t("health.version"), cell: ({ health }) => health?.version ?? t("kpis.none") },
      ]}
    />
  );
}

/** What the server pays the network's fees from, and what waits for it. */
function Paying({ of }: { of: Means }) {
  const { t } = useTranslation("operator");
  const { coins, number, percent } = useFormat();
  const { gas_account, gas_balance, gas_price, gas_of_the_day, gas_per_day, queued_contributions } = of;
  const lasts = (used: number) => {
    const days = daysAt(of, used);
    return days === undefined ? t("operations.lastsUnknown") : t("operations.lasts", { count: days });
  };
  return (
    <>
      {BigInt(gas_balance) === 0n && (
        <Notice title={t("operations.broke")} tone="bad">
          <p>{t("operations.brokeText")}</p>
        </Notice>
      )}
      <Facts
        of={[
          [t("operations.balance"), t("operations.coins", { amount: coins(gas_balance) })],
          [t("operations.atLimit"), lasts(gas_per_day)],
          [t("operations.atUse"), lasts(gas_of_the_day)],
          [t("operations.used"), t("operations.usedOf", { used: number(gas_of_the_day), most: number(gas_per_day), part: percent(permilleUp(BigInt(gas_of_the_day), BigInt(gas_per_day))) })],
          [t("operations.price"), t("operations.coins", { amount: coins(BigInt(gas_price) * 1_000_000n) })],
          [t("operations.account"), <Code key="account">{gas_account}</Code>],
          [t("operations.queue"), queued_contributions === 0 ? t("operations.noQueue") : t("operations.queued", { count: queued_contributions, number: number(queued_contributions) })],
        ]}
      />
      <p className="small">{t("operations.notCounted")}</p>
    </>
  );
}

function Admitting({ of: { open, left, cap, epoch_ends } }: { of: Admissions }) {
  const { t } = useTranslation("operator");
  const { number, time } = useFormat();
  return (
    <>
      <Facts
        of={[
          [t("operations.open"), t(open ? "operations.yes" : "operations.no")],
          ...(cap == null || left == null ? [] : [[t("operations.admitted"), t("operations.ofCap", { admitted: number(cap - left), cap: number(cap) })] satisfies [string, string]]),
          [t("operations.left"), left == null ? t("operations.leftUnknown") : number(left)],
          [t("operations.anew"), time(epoch_ends)],
        ]}
      />
      {!open && <p>{t(left === 0 ? "operations.full" : "operations.registrar")}</p>}
      <p>{t("operations.invite")}</p>
    </>
  );
}
