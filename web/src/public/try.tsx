//! What somebody can try a cooperative with that runs for this alone: as a member, and as a researcher.
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { LOCAL_CHAIN } from "../api/codes";
import { readCooperative, readWelcome } from "../api/generated";
import { useRead } from "../api/read";
import { Section } from "../ui/page";

const SAMPLES = ["/samples/record-1.json", "/samples/record-2.json"];

/** Another invitation is made once one was used. */
const OFTEN = 10_000;

/** Nothing at all where the gateway is of a cooperative of real people. */
export function Try() {
  const { t } = useTranslation("public");
  const { data } = useRead(readWelcome(), OFTEN);
  // A key that somebody would import, and a node that a wallet would believe: of a chain on this computer alone.
  const cooperative = useRead(readCooperative());
  if (!data?.researcher || cooperative.data?.chain_id !== LOCAL_CHAIN) return null;
  return (
    <Section title={t("try.title")}>
      <p>{t("try.text")}</p>
      <ul className="cards">
        {data.invitation && (
          <li>
            <h3>{t("try.member.title")}</h3>
            <p>{t("try.member.text")}</p>
            <p>
              <Link to="/join" hash={data.invitation} className="button">
                {t("try.member.link")}
              </Link>
            </p>
            <p>
              {t("try.member.records")}{" "}
              {SAMPLES.map((path, place) => (
                <span key={path}>
                  <a href={path} download>
                    {t("try.member.record", { place: place + 1 })}
                  </a>{" "}
                </span>
              ))}
            </p>
          </li>
        )}
        <li>
          <h3>{t("try.researcher.title")}</h3>
          <p>{t("try.researcher.text")}</p>
          <p>
            <Link to="/try">{t("try.researcher.link")}</Link>
          </p>
        </li>
      </ul>
    </Section>
  );
}
