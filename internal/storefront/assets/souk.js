// souk's own script: what pages gain from it they can do without. htmx swaps the parts.
(function () {
  "use strict";
  var doc = document, on = doc.addEventListener.bind(doc), byId = doc.getElementById.bind(doc);

  // A picture that came takes its tile's place; one that cannot be had leaves it to the tile.
  function settle(img, came) {
    var frame = img.closest(".picture");
    if (!frame) return;
    if (came) frame.classList.add("picture-loaded"); else img.hidden = true;
  }
  ["load", "error"].forEach(function (event) {
    on(event, function (e) { if (e.target.tagName === "IMG") settle(e.target, event === "load"); }, true);
  });
  doc.querySelectorAll(".picture img").forEach(function (img) {
    if (img.complete && (img.naturalWidth || img.loading !== "lazy")) settle(img, img.naturalWidth > 0);
  });

  doc.querySelectorAll(".strip [aria-current]").forEach(function (a) { a.closest(".strip").scrollLeft = a.offsetLeft - 60; });

  // How one came to a listing is counted by now: the address to share says nothing of it.
  var here = new URL(location.href);
  if (here.pathname.slice(0, 3) === "/l/" && here.searchParams.has("found")) {
    here.searchParams.delete("found");
    history.replaceState(history.state, "", here);
  }

  // What changed is said politely; what was folded open stays open.
  var open = [], held = null, ahead = null;
  on("htmx:beforeSwap", function (e) {
    var xhr = e.detail.xhr;
    if (xhr.status >= 400 && xhr.getResponseHeader("HX-Retarget") && e.detail.elt.id !== "waiting") {
      e.detail.shouldSwap = true; // a whole page that says what failed
      e.detail.isError = false;
    }
    var field = doc.activeElement, asked = e.detail.requestConfig;
    held = field && field.id;
    ahead = asked && field && field.form === asked.elt && field.type === "search" && field.value !== asked.parameters[field.name] ? field.value : null;
    open = Array.from(doc.querySelectorAll("details[open][id]"), function (d) { return [d.id, d.scrollTop]; });
  });
  on("htmx:afterSettle", function (e) {
    open.forEach(function (was) {
      var d = byId(was[0]);
      if (!d) return;
      d.open = true;
      d.scrollTop = was[1];
    });
    var part = byId(e.detail.target.id) || e.detail.elt, field = byId(held);
    if (ahead !== null && field && field === doc.activeElement) { // what was typed while the answer was on its way
      field.value = ahead;
      field.dispatchEvent(new Event("input"));
    }
    var said = Array.from(part.querySelectorAll("[data-announce]"), function (n) { return n.textContent.trim(); });
    var flash = doc.querySelector("#flash .flash p");
    if (flash) said.unshift(flash.textContent.trim());
    say(said.join(". "));
    if (part.id === "results") [field, part.querySelector(".facets[open] > summary"), byId("results-count")].forEach(function (n) {
      if (n && doc.activeElement === doc.body) n.focus({ preventScroll: true }); // what had it is gone, or was folded
    });
    var problems = part.querySelector(".problems");
    if (problems) problems.focus();
    countTicks();
  });
  function say(text) { var live = byId("live"); if (live) live.textContent = text; }

  // When a part cannot be fetched, a link is followed as a page, and a form says so: its key
  // makes sending it again safe.
  function fallBack(e) {
    var request = e.detail.requestConfig;
    if (request && request.verb === "get" && !/every/.test(e.detail.elt.getAttribute("hx-trigger") || "")) {
      location.assign(e.detail.pathInfo && e.detail.pathInfo.finalRequestPath || request.path); // with the fields of a form
      return;
    }
    if (e.detail.elt.closest("#waiting")) return;
    var place = byId("flash");
    if (!place) return;
    var box = doc.createElement("div"), p = doc.createElement("p");
    box.className = "flash flash-bad";
    p.textContent = "That did not reach us. Check your connection and try again; nothing is done twice.";
    box.append(p);
    place.replaceChildren(box);
    say(p.textContent);
  }
  on("htmx:sendError", fallBack);
  on("htmx:timeout", fallBack);
  on("htmx:responseError", fallBack);

  // A form is sent once; its button rests meanwhile.
  on("submit", function (e) {
    if (e.target.method !== "post" || e.defaultPrevented) return;
    if (e.target.dataset.sent) { e.preventDefault(); return; }
    e.target.dataset.sent = "yes";
    setTimeout(function () { delete e.target.dataset.sent; }, 5000);
  });
  addEventListener("pageshow", function () {
    doc.querySelectorAll("form[data-sent]").forEach(function (f) { delete f.dataset.sent; });
  });

  // Menus and the sheet of filters close by a click beside them or Escape.
  on("click", function (e) {
    if (e.target.matches(".facets[open]")) e.target.open = false;
    doc.querySelectorAll("details.menu[open]").forEach(function (m) { if (!m.contains(e.target)) m.open = false; });
  });
  on("keydown", function (e) {
    if (e.key !== "Escape") return;
    doc.querySelectorAll("details.menu[open], details.facets[open]").forEach(function (m) {
      m.open = false;
      m.querySelector("summary").focus();
    });
  });

  // How many rows are ticked.
  function countTicks() {
    doc.querySelectorAll("[data-bulk-count]").forEach(function (n) {
      var count = n.closest("form").querySelectorAll("tbody input[type=checkbox]:checked").length;
      n.textContent = count ? " " + count : "";
    });
  }
  on("change", countTicks);

  // The search box as a combobox with a list, after the pattern of WAI-ARIA: what is typed stays
  // until something is chosen. Arrows move through the list, Enter goes there, Escape closes it.
  doc.querySelectorAll("form[data-suggest]").forEach(function (form) {
    var input = form.querySelector("input[type=search]"), list = doc.createElement("ul");
    var timer = 0, at = -1, asking = null, about = null;
    list.id = list.className = "suggestions";
    list.hidden = true;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Suggestions");
    form.append(list);
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-controls", list.id);
    input.setAttribute("aria-expanded", "false");

    function show(some) {
      list.hidden = !some;
      input.setAttribute("aria-expanded", String(some));
      if (!some) choose(-1);
    }
    function close() {
      clearTimeout(timer);
      if (asking) asking.abort();
      show(false);
    }
    function choose(i) {
      var items = list.children;
      if (items[at]) items[at].setAttribute("aria-selected", "false");
      at = i;
      if (!items[at]) { input.removeAttribute("aria-activedescendant"); return; }
      items[at].setAttribute("aria-selected", "true");
      items[at].scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", items[at].id);
    }
    function ask(then) {
      var text = input.value;
      if (asking) asking.abort();
      if (!text.trim()) { show(false); return; }
      asking = new AbortController();
      fetch(form.dataset.suggest + "?q=" + encodeURIComponent(text), { signal: asking.signal, headers: { Accept: "text/html" } })
        .then(function (r) { if (!r.ok) throw new Error("no suggestions"); return r.text(); })
        .then(function (html) {
          choose(-1);
          list.innerHTML = html;
          about = text;
          if (doc.activeElement !== input) return;
          var n = list.children.length;
          show(n > 0);
          say(n ? n + (n > 1 ? " suggestions" : " suggestion") : "No suggestions");
          if (n && then) then();
        })
        .catch(function (err) { if (err.name !== "AbortError") show(false); });
    }
    function move(key) {
      var n = list.children.length;
      choose(key === "ArrowDown" ? (at + 1) % n : (at > 0 ? at : n) - 1);
    }
    input.addEventListener("input", function () {
      choose(-1);
      clearTimeout(timer);
      timer = setTimeout(ask, 120);
    });
    input.addEventListener("keydown", function (e) {
      var key = e.key;
      if (e.isComposing) return;
      if (key === "Escape" && !list.hidden) {
        e.preventDefault();
        close();
      } else if (key === "ArrowDown" || key === "ArrowUp") {
        e.preventDefault();
        if (e.altKey && key === "ArrowUp") { close(); return; }
        if (about !== input.value || !list.children.length) { ask(e.altKey ? 0 : function () { move(key); }); return; }
        show(true);
        if (!e.altKey) move(key);
      } else if (/^(Home|End|ArrowLeft|ArrowRight)$/.test(key)) {
        choose(-1); // and the cursor moves in the text
      }
    });
    form.addEventListener("submit", function (e) { // by Enter
      var item = list.children[at];
      close();
      if (item) { e.preventDefault(); go(item); }
    });
    function go(item) {
      close();
      input.value = item.dataset.text;
      location.assign(item.dataset.url);
    }
    list.addEventListener("mousedown", function (e) { e.preventDefault(); });
    list.addEventListener("click", function (e) {
      var item = e.target.closest("[role=option]");
      if (item) go(item);
    });
    input.addEventListener("blur", close);
  });
})();
