// Sends the form of a page that is only a stop on the way to an identity provider. Without it, the form's button does.
(() => {
  "use strict";

  const came = performance.getEntriesByType("navigation")[0];
  // Whoever comes here with the back button came from there, and decides.
  if (came && came.type === "back_forward") return;
  const form = document.querySelector("form[data-going]");
  if (form) form.submit();
})();
