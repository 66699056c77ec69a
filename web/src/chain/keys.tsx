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
import { keys, type ReplyKey } from "./store";

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
      const drawn: ReplyKey = { public: open, secret, account, at: Math.floor(Date.now() / 1000), saved: false };
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
  const refresh = useRefresh(desk);
  const save = async () => {
    saveFile(`answer-key-${answerKey.public.slice(2, 10)}.json`, new Blob([contentOf(answerKey)], { type: "application/json" }));
    await keys.put({ ...answerKey, saved: true });
    await refresh();
  };
  return (
    <Section title={t("key.title")}>
      <p>{t("key.text")}</p>
      <p>
        <Code>{answerKey.public}</Code>
      </p>
      <div role="status">{answerKey.saved && <p>{t("key.saved")}</p>}</div>
      <p className="buttons">
        <button type="button" className={`button${answerKey.saved ? " quiet" : ""}`} onClick={() => void save()}>
          {t(answerKey.saved ? "key.again" : "key.save")}
        </button>
        <OpenKey desk={desk} label={t("key.file")} />
      </p>
    </Section>
  );
}

/** Takes a key from a file; it counts as saved. */
export function OpenKey({ desk, label, wanted }: { desk: Desk; label: string; wanted?: string }) {
  const { t } = useTranslation("researcher-chain");
  const refresh = useRefresh(desk);
  const [isWrong, setWrong] = useState(false);
  const take = async (content: string) => {
    const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), KeyFile), content);
    const isRight = parsed.success && (wanted === undefined || parsed.output.public.toLowerCase() === wanted);
    setWrong(!isRight);
    if (!isRight) return;
    const { public: open, secret } = parsed.output;
    await keys.put({ public: open, secret, account: desk.account, at: Math.floor(Date.now() / 1000), saved: true });
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

function useRefresh({ account }: Desk) {
  const queries = useQueryClient();
  return () => Promise.all([queries.invalidateQueries({ queryKey: ["reply-key", account] }), queries.invalidateQueries({ queryKey: ["reply-keys", account] })]);
}
