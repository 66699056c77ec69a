//! Joining. Where somebody is follows from what is kept: what was drawn, the locker, and what the chain shows.
import { Link } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Await } from "../ui/await";
import { PageHead } from "../ui/page";
import { type Draft, draft as keptDraft } from "./core/joining";
import { useMember } from "./core/reading";
import { type Opened, useOpened } from "./core/session";
import { Becoming } from "./join/becoming";
import { CodeStep } from "./join/code";
import { PasskeyStep } from "./join/passkey";
import { What } from "./join/what";
import { Choose } from "./parts/choose";

export default function Join() {
  const opened = useOpened();
  const [draft, setDraft] = useState(() => keptDraft.read());
  if (opened) return <Inside opened={opened} />;
  if (draft?.isSaved) return <PasskeyStep draft={draft} keep={setDraft} />;
  if (draft?.drawn) return <CodeStep draft={draft as Draft} keep={setDraft} />;
  return <What begun={setDraft} />;
}

function Inside({ opened }: { opened: Opened }) {
  const { t } = useTranslation("member-join");
  const id = opened.things.member_id;
  if (id === null) return <Becoming opened={opened} />;
  return (
    <>
      <StepHead step={4} title={t("first.title")} lead={t("first.lead")} />
      <First opened={opened} id={id} />
    </>
  );
}

/** The first sharing choice, and the end. */
function First({ opened, id }: { opened: Opened; id: number }) {
  const { t } = useTranslation("member-join");
  const member = useMember(id);
  return (
    <Await of={[member]}>
      {({ consent }) =>
        consent === "none" ? (
          <>
            <Choose opened={opened} done={() => void member.refetch()} />
            <p>
              <Link to="/home">{t("first.later")}</Link>
            </p>
          </>
        ) : (
          <Done />
        )
      }
    </Await>
  );
}

function Done() {
  const { t } = useTranslation("member-join");
  const head = useRef<HTMLHeadingElement>(null);
  useEffect(() => head.current?.focus(), []);
  return (
    <div className="notice" data-tone="good">
      <h2 ref={head} tabIndex={-1} className="notice-title">
        {t("done.title")}
      </h2>
      <p>{t("done.text")}</p>
      <p>
        <Link to="/data" className="button">
          {t("done.add")}
        </Link>
      </p>
      <p>
        <Link to="/home">{t("done.home")}</Link>
      </p>
    </div>
  );
}

/** Which step of how many; a new one is read from its heading on. */
export function StepHead({ step, title, lead }: { step: number; title: string; lead: string }) {
  const { t } = useTranslation("member-join");
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (step > 1) frame.current?.querySelector<HTMLElement>("h1")?.focus();
  }, [step]);
  return (
    <div ref={frame}>
      <p className="small">{t("step", { step, of: 4 })}</p>
      <PageHead title={title} lead={lead} />
    </div>
  );
}
