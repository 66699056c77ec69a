//! Ask all members something.
import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import * as v from "valibot";
import { options as reading } from "../../api/read";
import { readPollsWhole } from "../../api/within";
import { Notice } from "../../ui/page";
import { kept } from "../core/kept";
import type { Opened } from "../core/session";
import { hold } from "../core/voting";
import { ActFailed, useAct } from "../parts/act";
import { Field } from "../parts/field";
import { Mine } from "../parts/mine";
import { Options } from "../parts/options";
import { type Wrong, wrongIn } from "./asked";

export default function Ask() {
  const { t } = useTranslation("member-vote");
  return (
    <Mine title={t("ask.title")} lead={t("ask.lead")} back={<Link to="/vote">{t("vote.title")}</Link>}>
      {(opened) => <Form opened={opened} />}
    </Mine>
  );
}

/** What was typed stays in this tab until it is asked: a reload loses nothing. */
const Draft = v.object({ question: v.string(), options: v.array(v.string()) });
type Draft = v.InferOutput<typeof Draft>;
const draft = kept(() => sessionStorage, "rochdale.asking", Draft);
const EMPTY: Draft = { question: "", options: ["", ""] };

const DAYS = [7, 14, 30] as const;

function Form({ opened }: { opened: Opened }) {
  const { t } = useTranslation(["member-vote", "member-mine"]);
  const queries = useQueryClient();
  const [{ question, options }, setDraft] = useState(() => draft.read() ?? EMPTY);
  const write = (part: Partial<Draft>) => {
    const next = { question, options, ...part };
    setDraft(next);
    draft.write(next);
  };
  const [days, setDays] = useState<(typeof DAYS)[number]>(7);
  const [wrong, setWrong] = useState<Wrong>({});
  const [held, setHeld] = useState<string>();
  const said = options.map((option) => option.trim()).filter(Boolean);
  const asking = useAct(async () => {
    const id = await hold(opened, question.trim(), said, days);
    draft.forget();
    await queries.invalidateQueries({ queryKey: reading(readPollsWhole()).queryKey });
    setHeld(id);
  });
  const { state } = asking;
  const isWorking = state.at === "working";
  const go = (event: FormEvent) => {
    event.preventDefault();
    const found = wrongIn(question, options);
    setWrong(found);
    if (!found.question && !found.options && !isWorking) asking.act();
  };
  if (held) {
    return (
      <div role="status">
        <Notice title={t("member-vote:ask.done")} tone="good">
          <p>{t("member-vote:ask.doneText")}</p>
          <p>
            <Link to="/vote/polls/$poll" params={{ poll: held }}>
              {t("member-vote:ask.see")}
            </Link>
          </p>
        </Notice>
      </div>
    );
  }
  return (
    <form onSubmit={go}>
      <Field label={t("member-vote:ask.question")} hint={t("member-vote:ask.questionHint")} wrong={wrong.question && t(`member-vote:ask.wrong.${wrong.question}`)} value={question} change={(value) => write({ question: value })} width={60} />
      {options.map((option, place) => (
        <Field
          key={place}
          label={t("member-vote:ask.option", { number: place + 1 })}
          wrong={place === 0 && wrong.options ? t(`member-vote:ask.wrong.${wrong.options}`) : undefined}
          value={option}
          change={(value) => write({ options: options.map((old, at) => (at === place ? value : old)) })}
        />
      ))}
      {options.length < 8 && (
        <p>
          <button type="button" className="button quiet" onClick={() => write({ options: [...options, ""] })}>
            {t("member-vote:ask.more")}
          </button>
        </p>
      )}
      <Options legend={t("member-vote:ask.days")} name="days" value={days} options={DAYS} choose={setDays} text={(one) => [t("member-vote:ask.forDays", { count: one }), ""]} />
      <p className="small">{t("member-vote:ask.public")}</p>
      <p>
        <button type="submit" className="button" aria-disabled={isWorking}>
          {t("member-vote:ask.do")}
        </button>
      </p>
      <div role="status">{isWorking && <p className="working">{t("member-mine:working.passkey")}</p>}</div>
      {state.at === "failed" && <ActFailed error={state.error} kept={t("member-vote:ask.kept")} />}
    </form>
  );
}
