//! Loading, failed, or there: the three states of whatever a page reads.
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { ReadFailure } from "../api/read";
import { useFormat } from "./format";

type Results<T extends readonly unknown[]> = { [At in keyof T]: UseQueryResult<T[At]> };

/** How a failure is told: here, or as a room of its own way does. */
export type FailedAs = (failure: { error: Error; again: () => void; isTrying: boolean }) => ReactNode;

/** Shows `children` once all of them are there. What was there stays where a later look fails, and says so. */
export function Await<T extends readonly unknown[]>({ of, failed: As = Failed, children }: { of: Results<T>; failed?: FailedAs; children: (...data: T) => ReactNode }) {
  const results = of as readonly UseQueryResult<unknown>[];
  const failed = results.filter((result) => result.isError);
  const again = () => failed.forEach((result) => void result.refetch());
  if (results.every((result) => result.data !== undefined)) {
    return (
      <>
        {failed[0] && <Stale since={failed[0].dataUpdatedAt} again={again} />}
        {children(...(results.map((result) => result.data) as unknown as T))}
      </>
    );
  }
  if (failed[0]?.error) return <As error={failed[0].error} again={again} isTrying={failed.some((result) => result.isFetching)} />;
  return <Loading />;
}

export function Loading() {
  const { t } = useTranslation();
  return (
    <div className="loading" role="status">
      <span>{t("loading")}</span>
      <i aria-hidden="true" />
      <i aria-hidden="true" />
      <i aria-hidden="true" />
    </div>
  );
}

/** What happened, whether anything was lost, what to do. */
export function Failed({ error, again, isTrying }: { error: Error; again: () => void; isTrying: boolean }) {
  const { t } = useTranslation();
  const sort = sortOf(error);
  return (
    <div className="notice" data-tone="bad" role="alert">
      <p className="notice-title">{t(`failed.${sort}.title`)}</p>
      <p>{t(`failed.${sort}.what`)}</p>
      <p>{t("failed.lost")}</p>
      <p>{t(`failed.${sort}.do`)}</p>
      <button type="button" className="button" onClick={again} aria-disabled={isTrying}>
        {isTrying ? t("failed.trying") : t("failed.again")}
      </button>
      <details className="more">
        <summary>{t("failed.details")}</summary>
        <p lang="en">{error instanceof ReadFailure ? `${error.path}: ${error.code ?? error.kind}: ${error.message}` : String(error)}</p>
      </details>
    </div>
  );
}

function Stale({ since, again }: { since: number; again: () => void }) {
  const { t } = useTranslation();
  const { time } = useFormat();
  return (
    <div className="notice" data-tone="bad" role="status">
      <p className="notice-title">{t("stale.title", { time: time(since / 1000) })}</p>
      <p>{t("stale.what")}</p>
      <button type="button" className="button" onClick={again}>
        {t("failed.again")}
      </button>
    </div>
  );
}

type Sort = "unreachable" | "behind" | "few" | "often" | "absent" | "strange" | "other";

const BY_CODE: Record<string, Sort> = {
  chain_unavailable: "behind",
  peer_unavailable: "behind",
  peer_fault: "behind",
  halted: "behind",
  too_slow: "behind",
  not_enough: "few",
  too_many_requests: "often",
  not_found: "absent",
  bad_request: "absent",
  other_cooperative: "other",
};

/** Which of the sentences fits. */
export function sortOf(error: Error): Sort {
  if (!(error instanceof ReadFailure)) return "strange";
  return error.kind === "refused" ? (BY_CODE[error.code ?? ""] ?? "strange") : error.kind;
}
