//! Pages in place of a page: there is none, it does not open, it is opening.
import { type ErrorComponentProps, Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Failed, Loading } from "./await";
import { PageHead } from "./page";

export function Missing() {
  const { t } = useTranslation();
  return (
    <>
      <PageHead title={t("missing.title")} lead={t("missing.lead")} />
      <p>
        <Link to="/">{t("missing.home")}</Link>
      </p>
    </>
  );
}

/** Also when a page's file does not come: after an update of the site, a reload gets the new ones. */
export function Broken({ error }: ErrorComponentProps) {
  const { t } = useTranslation();
  return (
    <>
      <PageHead title={t("broken.title")} />
      <Failed error={error instanceof Error ? error : new Error(String(error))} again={() => window.location.reload()} isTrying={false} />
    </>
  );
}

export const Opening = () => <Loading />;
