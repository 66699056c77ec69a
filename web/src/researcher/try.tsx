//! The test researcher of a cooperative that runs for trying out: what a wallet is given to be it.
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { LOCAL_CHAIN } from "../api/codes";
import { readCooperative, readWelcome } from "../api/generated";
import { useRead } from "../api/read";
import { Await } from "../ui/await";
import { Code, Empty, Facts, Notice, PageHead } from "../ui/page";

export const needs = () => [readWelcome(), readCooperative()];

export default function Try() {
  const { t } = useTranslation("researcher");
  const welcome = useRead(readWelcome());
  const cooperative = useRead(readCooperative());
  return (
    <>
      <PageHead title={t("try.title")} lead={t("try.lead")} />
      <Await of={[welcome, cooperative]}>
        {({ researcher }, { chain_id }) =>
          researcher && chain_id === LOCAL_CHAIN ? (
            <>
              <Notice title={t("try.warning")}>
                <p>{t("try.warningText")}</p>
              </Notice>
              <ol>
                <li>{t("try.chainStep")}</li>
                <li>{t("try.keyStep")}</li>
                <li>
                  {t("try.buyStep")} <Link to="/datasets">{t("try.catalogue")}</Link>
                </li>
              </ol>
              <Facts
                of={[
                  [t("try.rpc"), <Code>{researcher.rpc_url}</Code>],
                  [t("try.chain"), String(chain_id)],
                  [t("try.key"), <Code>{researcher.key}</Code>],
                  [t("try.account"), <Code>{researcher.account}</Code>],
                ]}
              />
            </>
          ) : (
            <Empty title={t("try.none")}>
              <p>
                <Link to="/datasets">{t("try.catalogue")}</Link>
              </p>
            </Empty>
          )
        }
      </Await>
    </>
  );
}
