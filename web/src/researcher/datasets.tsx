//! The catalogue.
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { kindOf } from "../api/codes";
import { type DatasetView, readDatasets } from "../api/generated";
import { useRead } from "../api/read";
import { Await } from "../ui/await";
import { useFormat } from "../ui/format";
import { Empty, PageHead, Section } from "../ui/page";

export const needs = () => [readDatasets()];

const STEPS = ["approve", "buy", "ask"] as const;

export default function Datasets() {
  const { t } = useTranslation("researcher");
  const datasets = useRead(readDatasets());
  return (
    <>
      <PageHead title={t("datasets.title")} lead={t("datasets.lead")} />
      <Await of={[datasets]}>
        {(sets) =>
          sets.length > 0 ? (
            <ul className="cards">
              {sets.map((set) => (
                <Card key={set.dataset} set={set} />
              ))}
            </ul>
          ) : (
            <Empty title={t("datasets.empty")}>
              <p>{t("datasets.emptyText")}</p>
              <p>
                <Link to="/polls">{t("datasets.emptyLink")}</Link>
              </p>
            </Empty>
          )
        }
      </Await>
      <Section title={t("datasets.how")}>
        <ol className="steps">
          {STEPS.map((step) => (
            <li key={step}>
              <h3>{t(`datasets.steps.${step}.title`)}</h3>
              <p>{t(`datasets.steps.${step}.text`)}</p>
            </li>
          ))}
        </ol>
        <p>{t("datasets.guide")}</p>
      </Section>
    </>
  );
}

function Card({ set: { dataset, data_type, price_per_thousand, codes = [] } }: { set: DatasetView }) {
  const { t } = useTranslation(["researcher", "common"]);
  const { money } = useFormat();
  const kind = t(`common:kind.${kindOf(data_type)}`);
  return (
    <li>
      <h2 className="step-title">{kind}</h2>
      <p>
        {t("datasets.number", { dataset })}
        <br />
        {t("datasets.price", { price: money(price_per_thousand) })}
        <br />
        {t("datasets.codes", { count: codes.length })}
      </p>
      <p>
        <Link to="/datasets/$dataset" params={{ dataset: String(dataset) }}>
          {t("datasets.open", { kind, dataset })}
        </Link>
      </p>
    </li>
  );
}
