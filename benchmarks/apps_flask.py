"""A small Flask application: one JSON answer and one page, without templates."""

from flask import Flask, Response, jsonify, request

app = Flask(__name__)

PRODUCTS = [{"id": number, "name": f"Product {number}", "price": number * 1.25} for number in range(1, 21)]


@app.get("/json")
def products():
    return jsonify(products=PRODUCTS, count=len(PRODUCTS))


@app.get("/page")
def page():
    # Reads a header and the query as real views do, so that the environ is really looked at.
    language = request.headers.get("Accept-Language", "en")[:2]
    rows = "".join(f"<tr><td>{item['id']}</td><td>{item['name']}</td></tr>" for item in PRODUCTS)
    page_number = request.args.get("page", "1")
    html = f"<!doctype html><html lang={language}><title>Page {page_number}</title><table>{rows}</table></html>"
    return Response(html, mimetype="text/html")
