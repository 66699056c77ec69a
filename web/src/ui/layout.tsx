//! What stands around every page.
import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useRouter } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { LOCAL_CHAIN } from "../api/codes";
import { readCooperative } from "../api/generated";
import { options } from "../api/read";
import { LANGUAGES, type Language, speak } from "../i18n";

const PLACES = ["/home", "/check", "/licenses", "/treasury", "/epochs", "/proposals", "/datasets", "/health"] as const;

export function Layout() {
  const { t } = useTranslation();
  const isTrial = useIsTrial();
  useFocusOnNewPages();
  return (
    <>
      <a className="skip" href="#main">
        {t("skip")}
      </a>
      <header className="top">
        <div className="wide top-row">
          <Link to="/" className="brand">
            <img src="/icon.svg" alt="" width="32" height="32" />
            {t("name")}
          </Link>
          <div className="top-end">
            <Trial />
            <Languages />
          </div>
        </div>
        <Places />
      </header>
      <main id="main" className="wide" tabIndex={-1}>
        <Outlet />
      </main>
      <footer className="foot">
        <div className="wide">
          <p id="trial">{isTrial && t("trial.text")}</p>
          <p>{t("foot.state")}</p>
          <p>{t("foot.software")}</p>
          <p>
            <a href="/openapi.json">{t("foot.api")}</a>
          </p>
        </div>
      </footer>
    </>
  );
}

function Places() {
  const { t } = useTranslation();
  const [isOpen, setOpen] = useState(false);
  return (
    <nav aria-label={t("places.label")} className="places wide">
      <button type="button" className="places-button" aria-expanded={isOpen} aria-controls="places" onClick={() => setOpen(!isOpen)}>
        {t("places.menu")}
      </button>
      <ul id="places" data-open={isOpen || undefined}>
        {PLACES.map((place) => (
          <li key={place}>
            <Link to={place} onClick={() => setOpen(false)} activeProps={{ "aria-current": "page" }}>
              {t(`places.${place}`)}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function Languages() {
  const { t, i18n } = useTranslation();
  return (
    <ul className="languages" aria-label={t("language")}>
      {Object.entries(LANGUAGES).map(([code, name]) => (
        <li key={code}>
          <button type="button" lang={code} aria-pressed={i18n.language === code} onClick={() => void speak(code as Language)}>
            {name}
          </button>
        </li>
      ))}
    </ul>
  );
}

/** Whether everything here is for trying out. Nothing waits for it, and nothing breaks without it. */
const useIsTrial = () => useQuery(options(readCooperative())).data?.chain_id === LOCAL_CHAIN;

/** It stands in a row that is there anyway, so that nothing moves when it comes. */
function Trial() {
  const { t } = useTranslation();
  return useIsTrial() ? (
    <a className="trial" href="#trial">
      {t("trial.label")}
    </a>
  ) : null;
}

/** A new page is read from its heading on, as after a full load; the first one is left to the browser. */
function useFocusOnNewPages() {
  const router = useRouter();
  useEffect(
    () =>
      router.subscribe("onRendered", ({ fromLocation, pathChanged }) => {
        if (fromLocation && pathChanged) document.querySelector<HTMLElement>("main h1")?.focus({ preventScroll: true });
      }),
    [router],
  );
}
