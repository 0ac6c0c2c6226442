import Foundation

/// What `GET /` shows when no static files are configured.
enum WelcomePage {
  /// Fixed, so that every worker gives the page the same tag.
  static let modified = Date(timeIntervalSince1970: 1_767_225_600)

  static let html = """
    <!doctype html>
    <html lang="en">
    <meta charset="utf-8">
    <title>Companies</title>
    <style>body { font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem }</style>
    <h1>Companies</h1>
    <p>A small service that logs into shared memory. Kill one of its workers: nothing it logged is lost.</p>
    <ul>
    <li><a href="/companies">GET /companies?limit=20&amp;after=0</a></li>
    <li><a href="/companies/1">GET /companies/1</a></li>
    <li>POST /companies with <code>{"name": "…"}</code></li>
    <li><a href="/search?params=%7B%22city%22%3A%22Oslo%22%7D">GET /search?params=…JSON…</a></li>
    <li><a href="/health/live">GET /health/live</a>, <a href="/health/ready">GET /health/ready</a></li>
    </ul>
    </html>

    """
}
