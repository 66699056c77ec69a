//! What a proposal would change, in plain words: what each value is and would be, and what that means for a member.
import { useTranslation } from "react-i18next";
import type { CallView } from "../api/generated";
import { Code, Facts, More, Notice } from "../ui/page";
import { Table } from "../ui/table";
import { Upgrade } from "./upgrade";
import { approvalOf, type Warned as Warning, effectOf, isApproval, matterOf, othersOf, partOf, valueOf, warnedOf, wordsOfName } from "./effects";

interface Told {
  calls: readonly CallView[];
  /** What both houses agree on by the one approval among the calls that is of it. */
  charter: readonly CallView[];
  operation?: string | undefined;
}

/** Every call is told: one that agrees to something by what that is, where the proposal carries it. */
export function Effects({ calls, charter, operation }: Told) {
  const { t } = useTranslation("effects");
  const carried = approvalOf(calls, charter, operation);
  const told = calls.flatMap((call, at) => (at === carried ? [...charter] : [call]));
  const matters = [...new Set(told.map(matterOf))];
  if (calls.length === 0) return <p>{t("none")}</p>;
  return (
    <>
      {calls.length > 1 && (
        <p>
          <strong>{t("together", { count: calls.length })}</strong>
        </p>
      )}
      {calls.some(isApproval) && calls.length > 1 && (
        <Notice title={t("careful")} tone="bad">
          <p>{t("beside")}</p>
        </Notice>
      )}
      {calls.map((call, at) => (at === carried ? <Agreed key={at} call={call} charter={charter} /> : <OneCall key={at} call={call} />))}
      {told.some(({ changes }) => changes.some(({ old }) => old != null)) && <p className="small">{t("asOf")}</p>}
      <h3>{t("forYou")}</h3>
      <ul>
        {matters.map((matter) => (
          <li key={matter}>{t(`matter.${matter}`)}</li>
        ))}
      </ul>
    </>
  );
}

/** An approval, told by what it is of. */
function Agreed({ call, charter }: { call: CallView; charter: readonly CallView[] }) {
  const { t } = useTranslation("effects");
  return (
    <>
      <p>{t("charter")}</p>
      {charter.map((one, at) => (
        <OneCall key={at} call={one} />
      ))}
      <Warned warnings={othersOf(call)} />
      <More title={t("agreement")}>
        <Details call={call} />
      </More>
    </>
  );
}

function Details({ call }: { call: CallView }) {
  const { t } = useTranslation("effects");
  return (
    <Facts
      of={[
        [t("part"), <Code key="part">{call.contract}</Code>],
        [t("function"), <Code key="function">{call.function}</Code>],
        [t("address"), <Code key="address">{call.target}</Code>],
        [t("data"), <Code key="data">{call.data}</Code>],
      ]}
    />
  );
}

function OneCall({ call }: { call: CallView }) {
  const { t } = useTranslation("effects");
  const effect = effectOf(call);
  const part = partOf(call.contract);
  const isUpgrade = effect === "any_upgradeToAndCall";
  const same = call.changes.filter(({ old, new: after }) => old === after);
  const changed = call.changes.filter(({ old, new: after }) => old !== after);
  return (
    <div className="effect">
      {effect ? (
        <p>
          {t("would")} <strong>{t(`words.${effect}`)}</strong>.{part && ` ${t("about", { part: t(`parts.${part}`) })}`}
        </p>
      ) : (
        <>
          <p>{t("unexplained")}</p>
          <blockquote lang="en" data-said>
            {call.words}
          </blockquote>
        </>
      )}
      {isUpgrade ? <Upgrade call={call} /> : changed.length > 0 && <Changes caption={t("caption")} changes={changed} />}
      <Warned own={ownOf(call)} warnings={othersOf(call)} />
      {!isUpgrade && same.length > 0 && (
        <More title={t("same", { count: same.length })}>
          <Changes caption={t("sameCaption")} changes={same} />
        </More>
      )}
      <More title={t("details")}>
        <Details call={call} />
      </More>
    </div>
  );
}

type Change = CallView["changes"][number];

function Changes({ caption, changes }: { caption: string; changes: CallView["changes"] }) {
  const { t } = useTranslation("effects");
  const shown = (value: string) => (value === "yes" || value === "no" ? t(value) : value.startsWith("0x") ? <Code>{value}</Code> : value);
  const name = (what: string) => {
    const known = valueOf(what);
    return known ? t(`value.${known}`) : <span lang="en">{wordsOfName(what)}</span>;
  };
  return (
    <Table
      caption={caption}
      rows={changes}
      keyOf={({ what }) => what}
      columns={[
        { head: t("what"), cell: ({ what }) => name(what) },
        // Where nothing is replaced, what is said is said once.
        ...(changes.some(({ old }) => old != null) ? [{ head: t("now"), cell: ({ old }: Change) => (old == null ? t("unknownNow") : shown(old)) }] : []),
        { head: t(changes.some(({ old }) => old != null) ? "then" : "set"), cell: ({ new: after }) => shown(after) },
      ]}
    />
  );
}

/** Of a function that has words here, the first of the gateway's warnings is the one that has words, too. Of an approval that nothing is known of, the page warns by itself. */
function ownOf(call: CallView): Warning | undefined {
  if (isApproval(call)) return "CharterGate_approve";
  return call.warnings.length > 0 ? warnedOf(effectOf(call)) : undefined;
}

function Warned({ own, warnings }: { own?: Warning | undefined; warnings: readonly string[] }) {
  const { t } = useTranslation("effects");
  if (!own && warnings.length === 0) return null;
  return (
    <Notice title={t("careful")} tone="bad">
      {own && <p>{t(`warn.${own}`)}</p>}
      {warnings.map((warning) => (
        <p key={warning} lang="en" data-said>
          {warning}
        </p>
      ))}
    </Notice>
  );
}
