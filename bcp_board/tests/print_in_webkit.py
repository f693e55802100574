"""Prints a page in WebKitGTK, as an iPad or Safari would: python3 print_in_webkit.py <address> <PDF file>.

Debian's own Python runs it, since PyGObject comes with that one alone.
"""

import sys

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("WebKit2", "4.1")
from gi.repository import GLib, Gtk, WebKit2  # noqa: E402 (after their versions are chosen)

address, file = sys.argv[1:]
view = WebKit2.WebView()
printing = WebKit2.PrintOperation.new(view)
settings, sheet = Gtk.PrintSettings(), Gtk.PageSetup()
settings.set_printer("Print to File")
settings.set("output-uri", GLib.filename_to_uri(file))
settings.set("output-file-format", "pdf")
sheet.set_paper_size(Gtk.PaperSize.new("iso_a4"))
printing.set_print_settings(settings)
printing.set_page_setup(sheet)


def print_once_loaded(_, event):
    if event == WebKit2.LoadEvent.FINISHED:
        printing.print_()


window = Gtk.OffscreenWindow()
window.add(view)
window.show_all()
view.connect("load-changed", print_once_loaded)
printing.connect("finished", lambda _: Gtk.main_quit())
printing.connect("failed", lambda _, error: sys.exit(error.message))
GLib.timeout_add_seconds(60, lambda: sys.exit("It was not printed within a minute."))
view.load_uri(address)
Gtk.main()
