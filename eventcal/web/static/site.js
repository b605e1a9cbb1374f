// Times in the visitor's zone: a link where the page has times in another one. Nothing here is needed.
// Browsers call some zones by older names: both are asked what they call this one.
const known = (zone) => Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone;
const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
const shown = document.querySelector(".zone[data-zone]");
const asked = new URLSearchParams(location.search);
if (shown && here && asked.has("tz") === false && known(shown.dataset.zone) !== here) {
  asked.set("tz", here);
  const link = document.createElement("a");
  link.href = `?${asked}`;
  link.rel = "nofollow";
  link.textContent = document.body.dataset.inMyZone;
  shown.append(" · ", link);
}
