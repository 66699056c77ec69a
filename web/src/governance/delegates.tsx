//! Whose votes are cast by whom, in the house where votes come from contributing.
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { readDelegates } from "../api/deciding";
import { useRead } from "../api/read";
import { Await } from "../ui/await";
import { useFormat } from "../ui/format";
import { Code, Empty, More, PageHead } from "../ui/page";
import { Table } from "../ui/table";
import { Room } from "./room";

export const needs = () => [readDelegates()];

export default function Delegates() {
  const { t } = useTranslation("governance");
  const { units, percent, number } = useFormat();
  const delegates = useRead(readDelegates());
  return (
    <>
      <Room />
      <PageHead title={t("delegates.title")} lead={t("delegates.lead")} />
      <Await of={[delegates]}>
        {(all) =>
          all.length === 0 ? (
            <Empty title={t("delegates.empty")}>
              <p>{t("delegates.emptyText")}</p>
              <p>
                <Link to="/rewards">{t("delegates.emptyLink")}</Link>
              </p>
            </Empty>
          ) : (
            <>
              <Table
                caption={t("delegates.caption")}
                rows={all}
                keyOf={({ account }) => account}
                columns={[
                  { head: t("delegates.who"), cell: ({ member_id }) => (member_id == null ? t("delegates.stranger") : t("poll.member", { author: member_id })) },
                  { head: t("delegates.votes"), isNumber: true, cell: ({ votes }) => units(votes) },
                  { head: t("delegates.share"), isNumber: true, cell: ({ share_bps }) => percent(share_bps / 10) },
                  { head: t("delegates.others"), isNumber: true, cell: ({ delegators }) => number(delegators) },
                ]}
              />
              <p>{t("delegates.change")}</p>
              <p>
                <Link to="/vote/weight">{t("delegates.changeLink")}</Link>
              </p>
              <More title={t("delegates.accounts")}>
                <ul>
                  {all.map(({ account, member_id }) => (
                    <li key={account}>
                      {member_id == null ? t("delegates.stranger") : t("poll.member", { author: member_id })}: <Code>{account}</Code>
                    </li>
                  ))}
                </ul>
              </More>
            </>
          )
        }
      </Await>
    </>
  );
}
