// The Lambda runtime of Node.js inside a worker process: load the handler once, then answer
// invocations. Run as `node bootstrap.mjs <socket>`; frames as in bootstrap.py. Errors and log lines are
// shaped as AWS's runtime shapes them (docs.aws.amazon.com/lambda/latest/dg/nodejs-exceptions.html,
// nodejs-handler.html, nodejs-logging.html). What the real runtime brings besides Node itself, the AWS SDK
// for JavaScript, is not here: a function that uses it must bring it in its package.

import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { format } from 'node:util'

const ROOT = process.env.LAMBDA_TASK_ROOT
const ENDINGS = ['.js', '.mjs', '.cjs']
const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL']
let requestId = ''

// --- log lines ---

function writeLine(level, text) {
  const least = LEVELS.indexOf(process.env.AWS_LAMBDA_LOG_LEVEL || 'TRACE')
  if (LEVELS.indexOf(level) < least) return
  const timestamp = new Date().toISOString()
  const line = process.env.AWS_LAMBDA_LOG_FORMAT === 'JSON'
    ? JSON.stringify({ timestamp, level, requestId, message: text })
    : `${timestamp}\t${requestId}\t${level}\t${text.replaceAll('\n', '\r')}`
  fs.writeSync(1, line + '\n')
}

const METHODS = { log: 'INFO', info: 'INFO', debug: 'DEBUG', trace: 'TRACE', warn: 'WARN', error: 'ERROR' }
for (const [method, level] of Object.entries(METHODS)) {
  console[method] = (...values) => writeLine(level, format(...values))
}

// --- errors ---

function asOnAws(text) {
  return String(text).replaceAll(ROOT + path.sep, '/var/task/')
}

function failure(errorType, errorMessage, trace = []) {
  return { errorType, errorMessage: asOnAws(errorMessage), trace }
}

function shaped(problem) {
  if (!(problem instanceof Error)) return failure(typeof problem, format(problem))
  const trace = asOnAws(problem.stack ?? '').split('\n').filter((line) => !line.includes('bootstrap.mjs'))
  return failure(problem.name, problem.message, trace)
}

// --- loading ---

async function load(handler) {
  const file = path.basename(handler)
  const dot = file.indexOf('.')
  if (dot < 1) return [null, failure('Runtime.MalformedHandlerName', 'Bad handler')]
  const stem = path.join(ROOT, path.dirname(handler), file.slice(0, dot))
  const found = ENDINGS.map((ending) => stem + ending).find((name) => fs.existsSync(name))
  if (found === undefined) {
    return [null, failure('Runtime.ImportModuleError', `Error: Cannot find module '${file.slice(0, dot)}'`)]
  }
  let loaded
  try {
    loaded = await imported(found)
  } catch (problem) {
    const type = problem instanceof SyntaxError
      ? 'Runtime.UserCodeSyntaxError'
      : /MODULE_NOT_FOUND/.test(problem?.code ?? '') ? 'Runtime.ImportModuleError' : problem?.name ?? 'Error'
    const told = shaped(problem)
    return [null, failure(type, type.startsWith('Runtime.') ? format('%s', problem) : told.errorMessage, told.trace)]
  }
  const called = file.slice(dot + 1).split('.').reduce((value, name) => value?.[name], loaded)
  if (typeof called !== 'function') {
    return [null, failure('Runtime.HandlerNotFound', `${handler} is undefined or not exported`)]
  }
  return [called, null]
}

async function imported(file) {
  try {
    if (!file.endsWith('.mjs')) return createRequire(file)(file)
  } catch (problem) {
    if (problem?.code !== 'ERR_REQUIRE_ESM') throw problem // `"type": "module"` in its package.json
  }
  return import(pathToFileURL(file))
}

// --- invoking ---

function contextOf(header, settle) {
  const context = {
    callbackWaitsForEmptyEventLoop: true,
    awsRequestId: header.request_id,
    invokedFunctionArn: header.function_arn,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: header.client_context ?? undefined,
    getRemainingTimeInMillis: () => Math.max(0, Math.floor(header.deadline * 1000 - Date.now())),
    done: (problem, value) => settle(problem, value),
    succeed: (value) => settle(null, value),
    fail: (problem) => settle(problem ?? 'handled', null),
  }
  return context
}

function invoke(handler, event, header, socket) {
  return new Promise((resolve) => {
    let settled = false
    let promised = false
    const drained = () => {
      // Nothing is left that could answer: without a promise the answer is null, as on AWS.
      if (promised) process.exit(0)
      settle(null, null)
    }
    const settle = (problem, value) => {
      if (settled) return
      settled = true
      process.off('beforeExit', drained)
      socket.ref()
      resolve(problem == null ? { value } : { problem })
    }
    socket.unref() // so that it is seen when the handler has nothing left to do
    process.on('beforeExit', drained)
    try {
      const returned = handler(event, contextOf(header, settle), settle)
      if (typeof returned?.then === 'function') {
        promised = true
        returned.then((value) => settle(null, value), (problem) => settle(problem ?? 'undefined', null))
      }
    } catch (problem) {
      settle(problem ?? 'undefined', null)
    }
  })
}

async function answer(handler, header, payload, socket) {
  let event
  try {
    event = JSON.parse(payload.length ? payload.toString() : '{}')
  } catch (problem) {
    return [false, failure('Runtime.UnmarshalError', `Unable to unmarshal input: ${problem.message}`)]
  }
  const { value, problem } = await invoke(handler, event, header, socket)
  if (problem !== undefined) {
    const told = shaped(problem)
    writeLine('ERROR', `Invoke Error \t${JSON.stringify({ ...told, stack: told.trace })}`)
    return [false, told]
  }
  try {
    return [true, JSON.stringify(value) ?? 'null']
  } catch (unwritable) {
    return [false, failure('Runtime.MarshalError', `Unable to stringify response body: ${unwritable.message}`)]
  }
}

// --- frames ---

async function* framesOf(socket) {
  let held = Buffer.alloc(0)
  for await (const chunk of socket) {
    held = Buffer.concat([held, chunk])
    while (held.length >= 4 && held.length >= 4 + held.readUInt32BE(0)) {
      const end = 4 + held.readUInt32BE(0)
      yield held.subarray(4, end)
      held = held.subarray(end)
    }
  }
}

function send(socket, header, body) {
  for (const part of [Buffer.from(JSON.stringify(header)), Buffer.from(body)]) {
    const size = Buffer.alloc(4)
    size.writeUInt32BE(part.length)
    socket.write(size)
    socket.write(part)
  }
}

function memoryMb() {
  const peak = /VmHWM:\s+(\d+)/.exec(fs.readFileSync('/proc/self/status', 'utf8'))
  return Math.floor(Number(peak[1]) / 1024)
}

async function main(place) {
  const socket = net.connect(place)
  const began = performance.now()
  const [handler, problem] = await load(process.env._HANDLER)
  send(socket, { ready: true, init_ms: Math.round((performance.now() - began) * 100) / 100 }, '')
  const frames = framesOf(socket)
  for (;;) {
    const head = await frames.next()
    if (head.done) return
    const payload = await frames.next()
    if (payload.done) return
    const header = JSON.parse(head.value.toString())
    requestId = header.request_id
    let [ok, body] = [false, problem]
    if (handler === null) writeLine('ERROR', `Uncaught Exception \t${JSON.stringify(problem)}`)
    else [ok, body] = await answer(handler, header, payload.value, socket)
    send(socket, { ok, memory_mb: memoryMb() }, typeof body === 'string' ? body : JSON.stringify(body))
    if (handler === null) { // as on AWS, the next invocation tries to initialise again
      socket.end(() => process.exit(1))
      return
    }
  }
}

process.on('unhandledRejection', (problem) => {
  writeLine('ERROR', `Unhandled Promise Rejection \t${JSON.stringify(shaped(problem))}`)
  process.exit(128)
})
await main(process.argv[2])
process.exit(0)
