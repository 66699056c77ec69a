//! A dataset: how many people allow what, what it costs, what can be asked about.
import { Link, useParams } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { kindOf, purposeOf, SIZE_GRID } from "../api/codes";
import { type DatasetCode, type DatasetView, type PublishedSize, readDatasets, readSizes } from "../api/generated";
import { useRead } from "../api/read";
import { Await } from "../ui/await";
import { useFormat } from "../ui/format";
import { Code, Empty, PageHead, Section } from "../ui/page";
import { Table } from "../ui/table";

export const needs = () => [readDatasets(), readSizes()];

const FORMS = ["fixed", "auction", "compute"] as const;

export default function Dataset() {
  const { t } = useTranslation(["researcher", "common"]);
  const { dataset } = useParams({ from: "/datasets/$dataset" });
  const datasets = useRead(readDatasets());
  const found = datasets.data?.find((set) => String(set.dataset) === dataset);
  const isAbsent = datasets.data && !found;
  const kind = found ? kindOf(found.data_type) : "other";
  return (
    <>
      <PageHead title={isAbsent ? t("dataset.absent", { dataset }) : t("dataset.title", { kind: t(`common:kind.${kind}`), dataset })} back={<Link to="/datasets">{t("dataset.all")}</Link>} />
      <Await of={[datasets]}>
        {(sets) => {
          const set = sets.find((one) => String(one.dataset) === dataset);
          return set ? <Found set={set} /> : <p>{t("dataset.absentText")}</p>;
        }}
      </Await>
    </>
  );
}

function Found({ set }: { set: DatasetView }) {
  const { t } = useTranslation("researcher");
  const sizes = useRead(readSizes());
  return (
    <>
      <Section title={t("dataset.sizes")}>
        <Await of={[sizes]}>{(published) => <Sizes sizes={published.sizes.filter((size) => size.dataset === set.dataset)} />}</Await>
      </Section>
      <Section title={t("dataset.price")}>
        <Prices perThousand={set.price_per_thousand} />
        <p>
          <Link to="/buy/$dataset" params={{ dataset: String(set.dataset) }} className="button">
            {t("dataset.buy")}
          </Link>{" "}
          <Link to="/request" className="button quiet">
            {t("dataset.request")}
          </Link>
        </p>
        <p>
          <Link to="/auction/$dataset" params={{ dataset: String(set.dataset) }}>
            {t("dataset.toAuction")}
          </Link>{" "}
          ·{" "}
          <Link to="/compute/$dataset" params={{ dataset: String(set.dataset) }}>
            {t("dataset.toCompute")}
          </Link>
        </p>
      </Section>
      <Section title={t("dataset.inside")}>
        <Inside codes={set.codes ?? []} />
      </Section>
      <Section title={t("dataset.terms")}>
        <p>{t("dataset.termsText")}</p>
        <p>
          <Code>{set.terms_hash}</Code>
        </p>
      </Section>
    </>
  );
}

function Sizes({ sizes }: { sizes: PublishedSize[] }) {
  const { t } = useTranslation(["researcher", "common"]);
  const { number } = useFormat();
  if (sizes.length === 0) {
    return (
      <Empty title={t("dataset.noSizes")}>
        <p>{t("dataset.noSizesText")}</p>
      </Empty>
    );
  }
  return (
    <>
      <Table
        caption={t("dataset.sizesCaption")}
        rows={sizes}
        keyOf={(size) => size.purpose}
        columns={[
          { head: t("dataset.purpose"), cell: ({ purpose }) => t(`common:purpose.${purposeOf(purpose)}.name`) },
          { head: t("dataset.means"), cell: ({ purpose }) => t(`common:purpose.${purposeOf(purpose)}.what`) },
          {
            head: t("dataset.people"),
            isNumber: true,
            // The least that is ever published stands for everything below it.
            cell: ({ members }) => t(members > SIZE_GRID ? "dataset.about" : "dataset.few", { size: number(members) }),
          },
          { head: t("dataset.counted"), isNumber: true, cell: ({ epoch }) => (epoch === 0 ? t("dataset.never") : number(epoch)) },
        ]}
      />
      <p>{t("dataset.sizesHow", { grid: SIZE_GRID })}</p>
    </>
  );
}

function Prices({ perThousand }: { perThousand: string }) {
  const { t } = useTranslation("researcher");
  const { money } = useFormat();
  return (
    <>
      {FORMS.map((form) => (
        <div key={form}>
          <h3>{t(`dataset.${form}.title`)}</h3>
          <p>{t(`dataset.${form}.text`, { price: money(perThousand) })}</p>
        </div>
      ))}
    </>
  );
}

function Inside({ codes }: { codes: DatasetCode[] }) {
  const { t } = useTranslation("researcher");
  if (codes.length === 0) {
    return (
      <Empty title={t("dataset.noCodes")}>
        <p>{t("dataset.noCodesText")}</p>
      </Empty>
    );
  }
  return (
    <>
      <p>{t("dataset.insideText")}</p>
      <Table
        caption={t("dataset.codesCaption")}
        rows={codes}
        keyOf={(code) => `${code.system}|${code.code}`}
        columns={[
          // Names are the code systems' own, which are English.
          { head: t("dataset.name"), cell: ({ name }) => <span lang="en">{name}</span> },
          { head: t("dataset.of"), cell: (code) => t(`dataset.${code.of}`) },
          { head: t("dataset.unit"), cell: ({ unit }) => unit ?? t("dataset.noUnit") },
          { head: t("dataset.code"), cell: ({ system, code }) => <Code>{`${system}|${code}`}</Code> },
        ]}
      />
    </>
  );
}
