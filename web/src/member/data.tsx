//! My data: what is on its way, what is stored and since when, and adding a record.
import { useQueries, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { readContribution } from "../api/generated";
import { options } from "../api/read";
import { Await } from "../ui/await";
import { useFormat } from "../ui/format";
import { Empty, Section } from "../ui/page";
import { Table } from "../ui/table";
import { Add } from "./data/add";
import { Scores } from "./data/scores";
import { Unsent } from "./data/unsent";
import { waiting } from "./core/outbox";
import { useMember } from "./core/reading";
import type { Opened } from "./core/session";
import type { Added } from "./core/things";
import { Mine } from "./parts/mine";

export default function Data() {
  const { t } = useTranslation("member-mine");
  return <Mine title={t("data.title")}>{(opened, id) => <Own opened={opened} id={id} />}</Mine>;
}

function Own({ opened, id }: { opened: Opened; id: number }) {
  const { t } = useTranslation("member-mine");
  const queries = useQueryClient();
  const member = useMember(id);
  const parcels = useQuery({ queryKey: ["parcels"], queryFn: () => waiting(opened.things.account), networkMode: "always" });
  const changed = () => void queries.invalidateQueries();
  return (
    <Await of={[member, parcels]}>
      {(seen, unsent) => {
        const isGone = seen.consent === "erased" || !seen.active;
        return (
          <>
            {unsent.length > 0 && !isGone && (
              <Section title={t("data.unsent")}>
                {unsent.map((parcel) => (
                  <Unsent key={parcel.commitment} parcel={parcel} credential={opened.things.passkey.credential} changed={changed} />
                ))}
              </Section>
            )}
            <Section title={t("data.stored")}>
              <Stored opened={opened} id={id} recorded={seen.contributions} isGone={isGone} isUnsent={(commitment) => unsent.some((parcel) => parcel.commitment === commitment)} />
            </Section>
            {!isGone && (
              <Section title={t("data.add")}>
                {seen.consent === "granted" ? (
                  <Add opened={opened} changed={changed} />
                ) : (
                  <Empty title={t("data.noConsent")}>
                    <p>{t("data.noConsentText")}</p>
                    <p>
                      <Link to="/sharing/choose" className="button">
                        {t("data.choose")}
                      </Link>
                    </p>
                  </Empty>
                )}
              </Section>
            )}
            <Section title={t("data.delete")}>
              <p>{t("data.deleteText")}</p>
              <p>
                <Link to="/sharing/delete">{t("data.deleteLink")}</Link>
              </p>
            </Section>
          </>
        );
      }}
    </Await>
  );
}

function Stored({ opened, id, recorded, isGone, isUnsent }: { opened: Opened; id: number; recorded: number; isGone: boolean; isUnsent: (commitment: string) => boolean }) {
  const { t } = useTranslation("member-mine");
  const { added } = opened.things;
  const sent = added.filter(({ commitment }) => !isUnsent(commitment));
  if (isGone) return <p>{t("data.gone")}</p>;
  if (recorded === 0) {
    return (
      <Empty title={t("data.none")}>
        <p>{t("data.noneText")}</p>
      </Empty>
    );
  }
  return (
    <>
      <p>{t("data.count", { count: recorded })}</p>
      {sent.length > 0 && <List added={sent} id={id} />}
      {recorded > sent.length && <p>{t("data.elsewhere", { count: recorded - sent.length })}</p>}
      <Scores opened={opened} id={id} />
    </>
  );
}

function List({ added, id }: { added: Added[]; id: number }) {
  const { t } = useTranslation("member-mine");
  const { date, bytes, points } = useFormat();
  const states = useQueries({ queries: added.map(({ commitment }) => options(readContribution(commitment as `0x${string}`, id))) });
  return (
    <Await of={states}>
      {(...seen) => (
        <Table
          caption={t("data.caption")}
          rows={added.map((one, at) => ({ ...one, seen: seen[at] }))}
          keyOf={({ commitment }) => commitment}
          columns={[
            { head: t("data.name"), cell: ({ name }) => name },
            { head: t("data.since"), cell: ({ at }) => date(at) },
            { head: t("data.state"), cell: ({ seen }) => (seen?.contribution_id == null ? t(`data.states.${seen?.state ?? "queued"}`) : t("data.recorded", { number: seen.contribution_id })) },
            { head: t("data.quality"), isNumber: true, cell: ({ quality }) => t("data.points", { points: points(quality) }) },
            { head: t("data.size"), isNumber: true, cell: (one) => bytes(one.bytes) },
          ]}
        />
      )}
    </Await>
  );
}
