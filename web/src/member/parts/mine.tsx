//! What stands around a member's own pages: where else to go, and the way out.
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { ReadFailure } from "../../api/read";
import { Failed } from "../../ui/await";
import { PageHead } from "../../ui/page";
import { useCooperative } from "../core/reading";
import { lock, type Opened, useOpened } from "../core/session";
import { Alarm } from "./alarm";
import { ComeIn } from "./come-in";
import { Keepers } from "./keepers";

const PLACES = ["/home", "/data", "/sharing", "/uses", "/money", "/rewards", "/vote", "/help"] as const;

interface Head {
  title: string;
  lead?: string;
  back?: ReactNode;
}

/** A page of a member who has come in; the way in where nobody has. */
export function Mine({ title, lead, back, children }: Head & { children: (opened: Opened, member_id: number) => ReactNode }) {
  const { t } = useTranslation("member-mine");
  const opened = useOpened();
  const id = opened?.things.member_id;
  return (
    <>
      {opened && <Places />}
      <PageHead title={title} back={back} {...(lead && { lead })} />
      {!opened && <ComeIn />}
      {opened && id === null && (
        <>
          <p>{t("unfinished.text")}</p>
          <p>
            <Link to="/join" className="button">
              {t("unfinished.link")}
            </Link>
          </p>
        </>
      )}
      {opened && typeof id === "number" && <Inside opened={opened}>{children(opened, id)}</Inside>}
    </>
  );
}

/** Nothing of a member's is shown, or done, at a gateway that shows another cooperative. */
function Inside({ opened, children }: { opened: Opened; children: ReactNode }) {
  const directory = useCooperative(opened.things);
  const { error } = directory;
  if (error instanceof ReadFailure && error.code === "other_cooperative") return <Failed error={error} again={() => void directory.refetch()} isTrying={directory.isFetching} />;
  return (
    <>
      <Alarm opened={opened} />
      <Keepers opened={opened} directory={directory} />
      {children}
    </>
  );
}

function Places() {
  const { t } = useTranslation("member-mine");
  return (
    <nav aria-label={t("places.label")} className="mine">
      <ul>
        {PLACES.map((place) => (
          <li key={place}>
            <Link to={place} activeProps={{ "aria-current": "page" }}>
              {t(`places.${place}`)}
            </Link>
          </li>
        ))}
        <li>
          <button type="button" onClick={lock}>
            {t("places.lock")}
          </button>
        </li>
      </ul>
    </nav>
  );
}
