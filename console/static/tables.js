// The tables of a database, as the catalog tells them page by page.
import { useEffect, useState } from "./ui.js";
import { get } from "./api.js";

// [tables (null until the first are there), what went wrong]; asked again for another database.
export function useTables(database) {
  const [found, setFound] = useState([null, null]);
  useEffect(() => {
    if (!database) return undefined;
    let current = true;
    setFound([null, null]);
    (async () => {
      let next = null;
      do {
        const page = await get("tables", { database, next });
        if (!current) return;
        setFound(([old]) => [[...(old ?? []), ...page.tables], null]);
        next = page.next;
      } while (next);
    })().catch((problem) => current && setFound(([old]) => [old, problem]));
    return () => {
      current = false;
    };
  }, [database]);
  return found;
}
