//! The key that answers are sealed to: drawn by the rules, kept in this browser, and saved as a file before anything depends on it.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import * as v from "valibot";
import * as rules from "../member/core/rules";
import { saveFile } from "../member/parts/save";
import { FileButton } from "../ui/form";
import { Code, Section } from "../ui/page";
import type { Desk } from "./desk";
import { Bytes } from "./provider";
import { keyId, keys, type ReplyKey } from "./store";

const KIND = "rochdale answer key";
const KeyFile = v.object({ kind: v.literal(KIND), version: v.literal(1), public: v.pipe(Bytes, v.length(66)), secret: v.pipe(Bytes, v.length(66)) });

export const useKeys = ({ account }: Pick<Desk, "account">) => useQuery({ queryKey: ["reply-keys", account], queryFn: () => keys.of(account), networkMode: "always", staleTime: 0 });

/** The newest key of an account; the first time, one is drawn. Several tabs that draw at once keep all that they drew. */
export function useOwnKey(desk: Desk) {
  const { account } = desk;
  return useQuery({
    queryKey: ["reply-key", account],
    queryFn: async (): Promise<ReplyKey> => {
      const [known] = await keys.of(account);
      if (known) return known;
      const { secret, public: open } = await rules.replyKey();
      const drawn: ReplyKey = { id: keyId(account, open), public: open, secret, account, at: Math.floor(Date.now() / 1000), saved: false };
      // Browsers throw away what they were not asked to keep; where they do not listen, the file is there.
      await navigator.storage?.persist?.().catch(() => false);
      await keys.put(drawn);
      return drawn;
    },
    networkMode: "always",
    retry: false,
    staleTime: 0,
  });
}

const contentOf = (key: ReplyKey) => `${JSON.stringify({ kind: KIND, version: 1, account: key.account, public: key.public, secret: key.secret }, null, 2)}\n`;

export function KeyCard({ desk, answerKey }: { desk: Desk; answerKey: ReplyKey }) {
  const { t } = useTranslation("researcher-chain");
  const [isGone, setGone] = useState(false);
  const save = () => {
    saveFile(`answer-key-${answerKey.public.slice(2, 10)}.json`, new Blob([contentOf(answerKey)], { type: "application/json" }));
    setGone(true);
  };
  return (
    <Section title={t("key.title")}>
      <p>{t("key.text")}</p>
      <p>
        <Code>{answerKey.public}</Code>
      </p>
      <div role="status">
        {answerKey.saved && <p>{t("key.saved")}</p>}
        {!answerKey.saved && isGone && <p>{t("key.check")}</p>}
      </div>
      <p className="buttons">
        <button type="button" className={`button${answerKey.saved || isGone ? " quiet" : ""}`} onClick={save}>
          {t(answerKey.saved ? "key.again" : "key.save")}
        </button>
        {!answerKey.saved && isGone && <OpenKey desk={desk} label={t("key.sure")} wanted={answerKey.public} />}
        <OpenKey desk={desk} label={t("key.file")} />
      </p>
    </Section>
  );
}

/** Takes a key from a file, whose halves belong together. A secret that is here is never replaced. */
export function OpenKey({ desk, label, wanted }: { desk: Desk; label: string; wanted?: string }) {
  const { t } = useTranslation("researcher-chain");
  const refresh = useRefresh(desk);
  const [isWrong, setWrong] = useState(false);
  const take = async (content: string) => {
    const taken = await keyOf(content, desk.account, wanted).catch(() => undefined);
    setWrong(!taken);
    if (!taken) return;
    const before = await keys.get(taken.id);
    if (before && before.secret !== taken.secret) return setWrong(true);
    await keys.put({ ...taken, at: Math.max(taken.at, before?.at ?? 0) });
    await refresh();
  };
  return (
    <>
      <FileButton label={label} accept="application/json,.json" quiet take={(content) => void take(content)} />
      {isWrong && (
        <span className="wrong" role="alert">
          {t("key.wrong")}
        </span>
      )}
    </>
  );
}

/** The key that a file holds, where it is one and, if one is wanted, that one. */
export async function keyOf(content: string, account: Desk["account"], wanted?: string): Promise<ReplyKey | undefined> {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), KeyFile), content);
  if (!parsed.success) return undefined;
  const open = parsed.output.public.toLowerCase() as Desk["account"];
  const secret = parsed.output.secret.toLowerCase() as Desk["account"];
  if (wanted !== undefined && open !== wanted.toLowerCase()) return undefined;
  // What is sealed to the public half must open by the secret one.
  if ((await rules.publicOf(secret)).toLowerCase() !== open) return undefined;
  return { id: keyId(account, open), public: open, secret, account, at: Math.floor(Date.now() / 1000), saved: true };
}

function useRefresh({ account }: Desk) {
  const queries = useQueryClient();
  return () => Promise.all([queries.invalidateQueries({ queryKey: ["reply-key", account] }), queries.invalidateQueries({ queryKey: ["reply-keys", account] })]);
}
