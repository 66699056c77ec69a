//! The score of what was found, and what would raise it.
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../ui/format";
import { Code, Empty, Facts, More, Notice } from "../../ui/page";
import { Table } from "../../ui/table";
import { type Told, told } from "./reasons";
import type { Checked, Looked, Part, PassedOver, Reason } from "./shape";

/** Reasons that are shown at once; the others are folded away. */
const DEAREST = 6;

export function Result({ checked: { records, records_in_all, passed_over }, name }: { checked: Checked; name: string }) {
  const { t } = useTranslation("member");
  const frame = useRef<HTMLDivElement>(null);
  // The result is read from its heading on.
  useEffect(() => frame.current?.querySelector<HTMLElement>("h2")?.focus(), []);
  if (records.length === 0) {
    return (
      <div ref={frame}>
        <h2 tabIndex={-1}>{t("check.none")}</h2>
        <Empty title={name}>
          <p>{t("check.noneText")}</p>
          <p>{t("check.noneDo")}</p>
        </Empty>
        <Passed of={passed_over} />
      </div>
    );
  }
  return (
    <div ref={frame}>
      {records.map((record, at) => (
        <Scored key={record.name} record={record} title={records_in_all > 1 ? t("check.record", { at: at + 1, count: records_in_all }) : undefined} />
      ))}
      {records_in_all > 1 && <p>{t("check.several", { count: records_in_all })}</p>}
      {records_in_all > records.length && <p>{t("check.shown", { count: records.length })}</p>}
      {passed_over.length > 0 && (
        <>
          <h2>{t("check.passed")}</h2>
          <p>{t("check.passedText")}</p>
          <Passed of={passed_over} />
        </>
      )}
    </div>
  );
}

function Scored({ record, title }: { record: Looked; title: string | undefined }) {
  const { t } = useTranslation("member");
  const { bytes, points } = useFormat();
  const { quality, gated, parts, reasons, patient, name } = record;
  return (
    <section className="scored">
      <h2 tabIndex={-1} className="score">
        {title && <span className="small">{title}</span>} {t("check.score", { score: points(quality) })}
      </h2>
      <span className="bar score-bar" aria-hidden="true">
        <i style={{ width: `${quality / 100}%` }} />
      </span>
      {gated ? (
        <Notice title={t("check.gated")} tone="bad">
          <p>{t("check.gatedText")}</p>
        </Notice>
      ) : (
        <p>{t("check.scoreText")}</p>
      )}
      <h3>{t("check.raise")}</h3>
      <Reasons of={told(reasons)} />
      {!gated && (
        <>
          <h3>{t("check.parts")}</h3>
          <Parts of={parts} record={title} />
        </>
      )}
      <h3>{t("check.file")}</h3>
      <Facts
        of={[
          [t("check.fileName"), name],
          [t("check.fileSize"), bytes(record.bytes)],
          [t("check.patient"), patient ? <Code key="patient">{patient}</Code> : t("check.noPatient")],
        ]}
      />
    </section>
  );
}

function Reasons({ of }: { of: Told[] }) {
  const { t } = useTranslation("member");
  if (of.length === 0) return <p>{t("check.perfect")}</p>;
  const rest = of.slice(DEAREST);
  return (
    <>
      <p>{t("check.raiseText")}</p>
      <List reasons={of.slice(0, DEAREST)} />
      {rest.length > 0 && (
        <More title={t("check.smaller", { count: rest.length })}>
          <List reasons={rest} />
        </More>
      )}
    </>
  );
}

function List({ reasons }: { reasons: Told[] }) {
  const { t } = useTranslation("member");
  const { points } = useFormat();
  return (
    <ol className="reasons">
      {reasons.map(({ reason, resource, lost, count, details }) => (
        <li key={`${reason} ${resource}`}>
          <h4>{t(`check.reasons.${reason}.title`)}</h4>
          <p className="small">
            {t("check.costs", { count: Math.round(lost / 10) / 10, points: points(lost) })} · {t("check.times", { count })} ·{" "}
            {t("check.in", { resource: t(`check.resources.${resource}`) })}
          </p>
          <p>{t(`check.reasons.${reason}.raise`)}</p>
          <More title={t("check.places")}>
            <Details of={details} />
          </More>
        </li>
      ))}
    </ol>
  );
}

/** In the rules' own words, which are English, with the places in the file. */
function Details({ of }: { of: Reason[] }) {
  return (
    <ul lang="en">
      {of.map(({ check, category, element, paths, text }) => (
        <li key={`${check} ${category} ${element}`}>
          {element}: {text}
          <br />
          <Code>{paths.join(", ")}</Code>
        </li>
      ))}
    </ul>
  );
}

function Parts({ of, record }: { of: Part[]; record: string | undefined }) {
  const { t } = useTranslation("member");
  const { number, points } = useFormat();
  return (
    <Table
      caption={record ? `${t("check.partsCaption")}: ${record}` : t("check.partsCaption")}
      rows={of}
      keyOf={({ category }) => category}
      columns={[
        {
          head: t("check.part"),
          cell: ({ category }) => (
            <>
              {t(`check.${category}.name`)}
              <span className="part-what">{t(`check.${category}.what`)}</span>
            </>
          ),
        },
        {
          head: t("check.points"),
          cell: (part) => (
            <>
              <span className="bar" aria-hidden="true">
                <i style={{ width: `${(part.points * 100) / part.weight}%` }} />
              </span>
              {t("check.of", { points: points(part.points), weight: points(part.weight) })}
            </>
          ),
        },
        { head: t("check.checks"), cell: ({ passed, checked }) => t("check.checksOf", { passed: number(passed), checked: number(checked) }) },
      ]}
    />
  );
}

/** In the reading program's own words, which are English. */
function Passed({ of }: { of: PassedOver[] }) {
  return (
    <ul lang="en">
      {of.map(({ name, reason }) => (
        <li key={`${name} ${reason}`}>
          <strong>{name}</strong>: {reason}
        </li>
      ))}
    </ul>
  );
}
