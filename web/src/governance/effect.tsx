//! What a proposal would change, in plain words: what each value is and would be, and what that means for a member.
import { useTranslation } from "react-i18next";
import type { CallView } from "../api/generated";
import { Code, Facts, More, Notice } from "../ui/page";
import { Table } from "../ui/table";
import { Upgrade } from "./upgrade";
import { effectOf, matterOf, partOf, valueOf, warnedOf, wordsOfName } from "./effects";

export function Effects({ calls }: { calls: readonly CallView[] }) {
  const { t } = useTranslation("effects");
  const matters = [...new Set(calls.map(matterOf))];
  if (calls.length === 0) return <p>{t("none")}</p>;
  return (
    <>
      {calls.map((call, at) => (
        <OneCall key={at} call={call} />
      ))}
      <h3>{t("forYou")}</h3>
      <ul>
        {matters.map((matter) => (
          <li key={matter}>{t(`matter.${matter}`)}</li>
        ))}
      </ul>
    </>
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
      <Warnings call={call} />
      {!isUpgrade && same.length > 0 && (
        <More title={t("same", { count: same.length })}>
          <Changes caption={t("sameCaption")} changes={same} />
        </More>
      )}
      <More title={t("details")}>
        <Facts
          of={[
            [t("part"), <Code key="part">{call.contract}</Code>],
            [t("function"), <Code key="function">{call.function}</Code>],
            [t("address"), <Code key="address">{call.target}</Code>],
          ]}
        />
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

/** Of a function that has words here, the first of the gateway's warnings is the one that has words, too. */
function Warnings({ call }: { call: CallView }) {
  const { t } = useTranslation("effects");
  const warned = warnedOf(effectOf(call));
  const own = warned && call.warnings.length > 0 ? warned : undefined;
  const others = effectOf(call) === "CharterGate_approve" ? [] : call.warnings.slice(own ? 1 : 0);
  if (!own && others.length === 0) return null;
  return (
    <Notice title={t("careful")} tone="bad">
      {own && <p>{t(`warn.${own}`)}</p>}
      {others.map((warning) => (
        <p key={warning} lang="en" data-said>
          {warning}
        </p>
      ))}
    </Notice>
  );
}
