//! Sharing choices: what holds now, the receipts, and the three things that can be done about it.
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Await } from "../ui/await";
import { useFormat } from "../ui/format";
import { More, Notice, Section } from "../ui/page";
import type { Member } from "./core/facts";
import { useMember } from "./core/reading";
import type { Opened } from "./core/session";
import { type Receipt, receiptsOf } from "./core/things";
import { Words } from "./parts/choose";
import { useConsentWords } from "./parts/consent";
import { Forget } from "./parts/forget";
import { Mine } from "./parts/mine";
import { saveText } from "./parts/save";

export default function Sharing() {
  const { t } = useTranslation("member-mine");
  return <Mine title={t("sharing.title")}>{(opened, id) => <Own opened={opened} id={id} />}</Mine>;
}

function Own({ opened, id }: { opened: Opened; id: number }) {
  const member = useMember(id);
  return <Await of={[member]}>{(seen) => <Standing opened={opened} member={seen} />}</Await>;
}

function Standing({ opened, member }: { opened: Opened; member: Member }) {
  const { t } = useTranslation("member-mine");
  const words = useConsentWords();
  const isGranted = member.consent === "granted";
  const isGone = member.consent === "erased" || !member.active;
  const { current, older } = receiptsOf(opened.things.receipts, member);
  const past = isGranted || !current ? older : [current, ...older];
  return (
    <>
      <p className="lead">{words(member)}</p>
      {isGranted && current && <Given receipt={current} />}
      {isGranted && !current && (
        <Notice title={t("sharing.another")} tone="bad">
          <p>{t("sharing.elsewhere")}</p>
        </Notice>
      )}
      {!isGone && (
        <Section title={t(isGranted ? "sharing.change" : "sharing.start")}>
          <p>{t(isGranted ? "sharing.changeText" : "sharing.startText")}</p>
          <p>
            <Link to="/sharing/choose" className={isGranted ? "button quiet" : "button"}>
              {t(isGranted ? "sharing.changeLink" : "sharing.startLink")}
            </Link>
          </p>
        </Section>
      )}
      {isGranted && (
        <Section title={t("sharing.stop")}>
          <p>{t("sharing.stopText")}</p>
          <p>
            <Link to="/sharing/stop" className="button quiet">
              {t("sharing.stopLink")}
            </Link>
          </p>
        </Section>
      )}
      <Section title={t("sharing.delete")}>
        <p>{t(isGone ? "sharing.gone" : "sharing.deleteText")}</p>
        <p>
          <Link to="/sharing/delete" className="button quiet">
            {t(isGone ? "sharing.goneLink" : "sharing.deleteLink")}
          </Link>
        </p>
      </Section>
      {isGone && <Forget opened={opened} />}
      {past.length > 0 && (
        <More title={t("sharing.older")}>
          {past.map((receipt) => (
            <Given key={receipt.version} receipt={receipt} />
          ))}
        </More>
      )}
    </>
  );
}

/** Word for word as it was agreed to. */
function Given({ receipt }: { receipt: Receipt }) {
  const { t } = useTranslation("member-mine");
  const { time } = useFormat();
  const { version, given_at, notice, sentences, language } = receipt;
  const save = () => saveText(`${t("sharing.file")}-${version}.txt`, [notice, ...sentences.map((sentence) => `- ${sentence}`), JSON.stringify(receipt.receipt, null, 2)].join("\n\n"));
  return (
    <>
      <p className="small">{t("sharing.given", { version, time: time(given_at) })}</p>
      <Words notice={notice} sentences={sentences} lang={language} />
      <p>
        <button type="button" className="button quiet" onClick={save}>
          {t("sharing.save")}
        </button>
      </p>
    </>
  );
}
