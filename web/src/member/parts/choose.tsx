//! A sharing choice: chosen, then shown word for word as it is agreed to.
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Await } from "../../ui/await";
import { useFormat } from "../../ui/format";
import { consent, type Wish } from "../core/consenting";
import type { Member } from "../core/facts";
import * as rules from "../core/rules";
import type { Opened } from "../core/session";
import { ActButton, useAct } from "./act";
import { Options } from "./options";

const DAY = 86_400;
const SPANS = { one: 365 * DAY, two: 730 * DAY, open: 0 } as const;
type Span = keyof typeof SPANS;
type By = "anyone" | "notForProfit";
const PURPOSES = [6, 42] as const;

interface Chosen {
  purpose: Wish["purpose"];
  by: By;
  span: Span;
}

export function Choose({ opened, done }: { opened: Opened; done: (member: Member) => void }) {
  const [chosen, setChosen] = useState<Chosen>({ purpose: 6, by: "anyone", span: "two" });
  const [wish, setWish] = useState<Wish>();
  const review = () => {
    const { purpose, by, span } = chosen;
    const until = SPANS[span] === 0 ? 0 : Math.floor(Date.now() / 1000) + SPANS[span];
    setWish({ purpose, isNotForProfit: by === "notForProfit", until });
  };
  if (wish) return <Review opened={opened} wish={wish} back={() => setWish(undefined)} done={done} />;
  return <Form chosen={chosen} choose={(part) => setChosen({ ...chosen, ...part })} review={review} />;
}

function Form({ chosen, choose, review }: { chosen: Chosen; choose: (part: Partial<Chosen>) => void; review: () => void }) {
  const { t } = useTranslation("member-mine");
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        review();
      }}
    >
      <Options legend={t("choose.purpose")} name="purpose" value={chosen.purpose} options={PURPOSES} choose={(purpose) => choose({ purpose })} text={(one) => [t(`choose.purposes.${one}.name`), t(`choose.purposes.${one}.what`)]} />
      <Options legend={t("choose.by")} name="by" value={chosen.by} options={["anyone", "notForProfit"]} choose={(by) => choose({ by })} text={(one) => [t(`choose.bys.${one}.name`), t(`choose.bys.${one}.what`)]} />
      <Options legend={t("choose.span")} name="span" value={chosen.span} options={["one", "two", "open"]} choose={(span) => choose({ span })} text={(one) => [t(`choose.spans.${one}`), ""]} />
      <p className="small">{t("choose.always")}</p>
      <p>
        <button type="submit" className="button">
          {t("choose.review")}
        </button>
      </p>
    </form>
  );
}

/** What the wish means, a sentence each; they are kept with the receipt as they stand here. */
export function useSentences(): (wish: Wish) => string[] {
  const { t } = useTranslation("member-mine");
  const { date } = useFormat();
  return ({ purpose, isNotForProfit, until }) => [
    t(`choose.sentences.purpose.${purpose}`),
    t("choose.sentences.ethics"),
    t(`choose.sentences.${isNotForProfit ? "notForProfit" : "anyone"}`),
    t("choose.sentences.answers"),
    until === 0 ? t("choose.sentences.open") : t("choose.sentences.until", { date: date(until) }),
  ];
}

function Review({ opened, wish, back, done }: { opened: Opened; wish: Wish; back: () => void; done: (member: Member) => void }) {
  const { t, i18n } = useTranslation("member-mine");
  const language = i18n.language;
  const notice = useQuery({ queryKey: ["notice", language], queryFn: () => rules.notice(language), networkMode: "always" });
  const sentences = useSentences()(wish);
  const head = useRef<HTMLHeadingElement>(null);
  useEffect(() => head.current?.focus(), []);
  const agreeing = useAct(async () => done(await consent(opened, wish, { language, notice: notice.data ?? "", sentences })));
  return (
    <>
      <h2 ref={head} tabIndex={-1}>
        {t("choose.reviewTitle")}
      </h2>
      <p>{t("choose.reviewText")}</p>
      <Await of={[notice]}>
        {(text) => (
          <>
            <Words notice={text} sentences={sentences} />
            <ActButton act={agreeing} given={[]} label={t("choose.agree")} working={() => t("working.agreeing")} kept={t("kept.asBefore")} />
          </>
        )}
      </Await>
      <p>
        <button type="button" className="button quiet" onClick={back}>
          {t("choose.back")}
        </button>
      </p>
    </>
  );
}

/** What is, or was, agreed to. */
export function Words({ notice, sentences, lang, children }: { notice: string; sentences: string[]; lang?: string; children?: ReactNode }) {
  return (
    <div className="words" lang={lang}>
      {notice.split(/\n\s*\n/).map((paragraph) => (
        <p key={paragraph}>{paragraph}</p>
      ))}
      <ul>
        {sentences.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
      {children}
    </div>
  );
}
