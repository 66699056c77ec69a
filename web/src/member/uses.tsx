//! Who used my data: each release, for what, and what was asked in plain words.
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { purposeOf } from "../api/codes";
import { readDatasets } from "../api/generated";
import { useRead } from "../api/read";
import { Await } from "../ui/await";
import { useFormat } from "../ui/format";
import { Code, Empty, Facts } from "../ui/page";
import { useRow } from "./core/reading";
import type { ToldUse } from "./core/told";
import type { Session } from "./core/session";
import { Reading } from "./parts/come-in";
import { Differing } from "./parts/differing";
import { Mine } from "./parts/mine";
import { useQuestion } from "../ui/question";

export default function Uses() {
  const { t } = useTranslation("member-mine");
  return (
    <Mine title={t("uses.title")} lead={t("uses.lead")}>
      {(opened, id) => <Reading opened={opened}>{(session) => <Own session={session} id={id} />}</Reading>}
    </Mine>
  );
}

function Own({ session, id }: { session: Session; id: number }) {
  const { t } = useTranslation("member-mine");
  const row = useRow(session, id);
  return (
    <Await of={[row]}>
      {(seen) => {
        const uses = [...(seen.said?.uses ?? [])].sort((one, other) => other.at - one.at);
        return (
          <>
            {uses.length === 0 ? (
              <Empty title={t("uses.none")}>
                <p>{t(seen.said ? "uses.noneText" : "uses.notYet")}</p>
                <p>
                  <Link to="/licenses">{t("uses.toLicenses")}</Link>
                </p>
              </Empty>
            ) : (
              <>
                <p>{t("uses.count", { count: uses.length })}</p>
                <List uses={uses} />
                <p>
                  {t("uses.brought")} <Link to="/money">{t("uses.toMoney")}</Link>
                </p>
              </>
            )}
            <Differing of={seen} />
          </>
        );
      }}
    </Await>
  );
}

function List({ uses }: { uses: ToldUse[] }) {
  const { t } = useTranslation(["member-mine", "common"]);
  const { time } = useFormat();
  const datasets = useRead(readDatasets());
  const question = useQuestion(datasets.data ?? []);
  return (
    <ul className="plain">
      {uses.map((use) => (
        <li key={use.debit}>
          <h2 className="step-title">{question(use.query ?? undefined)}</h2>
          <Facts
            of={[
              [t("member-mine:uses.when"), time(use.at)],
              [t("member-mine:uses.purpose"), t(`common:purpose.${purposeOf(use.purpose)}.name`)],
              [t("member-mine:uses.who"), <Code key="who">{use.researcher}</Code>],
              [t("member-mine:uses.license"), t("member-mine:uses.licenseNumber", { number: use.license_id })],
              [t("member-mine:uses.records"), t("member-mine:uses.recordsCount", { count: use.records })],
              ...(use.alone === undefined ? [] : [[t("member-mine:uses.told"), t("member-mine:uses.alone", { steward: use.alone })] as [string, string]]),
            ]}
          />
        </li>
      ))}
    </ul>
  );
}
