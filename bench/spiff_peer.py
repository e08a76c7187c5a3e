"""SpiffWorkflow on the same work: an instance with steps, a branch and a wait for a person, kept as JSON."""

from __future__ import annotations

import io
from collections.abc import Callable

from lxml import etree
from SpiffWorkflow import TaskState
from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer

MILLI = 1000.0
BPMN = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="b">
<process id="p" isExecutable="true">
<startEvent id="s"><outgoing>f1</outgoing></startEvent>
<scriptTask id="a"><incoming>f1</incoming><outgoing>f2</outgoing><script>n = 1</script></scriptTask>
<exclusiveGateway id="g" default="f4"><incoming>f2</incoming><outgoing>f3</outgoing><outgoing>f4</outgoing>
</exclusiveGateway>
<scriptTask id="b"><incoming>f3</incoming><outgoing>f5</outgoing><script>n = 2</script></scriptTask>
<scriptTask id="c"><incoming>f4</incoming><outgoing>f6</outgoing><script>n = 3</script></scriptTask>
<exclusiveGateway id="j"><incoming>f5</incoming><incoming>f6</incoming><outgoing>f7</outgoing></exclusiveGateway>
<manualTask id="u"><incoming>f7</incoming><outgoing>f8</outgoing></manualTask>
<scriptTask id="e"><incoming>f8</incoming><outgoing>f9</outgoing><script>n = 4</script></scriptTask>
<endEvent id="x"><incoming>f9</incoming></endEvent>
<sequenceFlow id="f1" sourceRef="s" targetRef="a"/><sequenceFlow id="f2" sourceRef="a" targetRef="g"/>
<sequenceFlow id="f3" sourceRef="g" targetRef="b"><conditionExpression>n == 1</conditionExpression></sequenceFlow>
<sequenceFlow id="f4" sourceRef="g" targetRef="c"/><sequenceFlow id="f5" sourceRef="b" targetRef="j"/>
<sequenceFlow id="f6" sourceRef="c" targetRef="j"/><sequenceFlow id="f7" sourceRef="j" targetRef="u"/>
<sequenceFlow id="f8" sourceRef="u" targetRef="e"/><sequenceFlow id="f9" sourceRef="e" targetRef="x"/>
</process></definitions>"""


def measure(times: int, recipients: int, cpu: Callable[[Callable[[], object]], float]) -> dict[str, float]:
    """Milliseconds of CPU time of one instance, and of a recipient where each has an instance of its own."""
    parser = BpmnParser()
    parser.add_bpmn_xml(etree.parse(io.BytesIO(BPMN.encode())), filename="p.bpmn")
    spec = parser.get_spec("p")
    serializer = BpmnWorkflowSerializer()

    def one() -> None:
        instance = BpmnWorkflow(spec)
        instance.do_engine_steps()
        stored = serializer.serialize_json(instance)
        instance = serializer.deserialize_json(stored)
        for task in instance.get_tasks(state=TaskState.READY, manual=True):
            task.run()
        instance.do_engine_steps()
        if not instance.is_completed():
            raise RuntimeError("the instance has not ended")
        serializer.serialize_json(instance)

    def many(number: int) -> float:
        return cpu(lambda: [one() for _instance in range(number)]) / number * MILLI

    return {"single_ms": round(many(times), 3), "recipient_ms": round(many(recipients), 3)}
